-- Decisions, executions and calls of each ET hour. ET dates, from midnight to midnight, both included.
CREATE OR REPLACE TABLE FUNCTION {audit}.hourly_activity(first_date DATE, last_date DATE) AS
WITH happened AS (
  SELECT decision_time AS moment, action AS what
  FROM {audit}.v_workflow_decisions
  WHERE DATE(decision_time) BETWEEN first_date AND DATE_ADD(last_date, INTERVAL 1 DAY)
  UNION ALL
  SELECT execution_time, 'execution'
  FROM {audit}.v_workflow_executions
  WHERE DATE(execution_time) BETWEEN first_date AND DATE_ADD(last_date, INTERVAL 1 DAY)
  UNION ALL
  SELECT triggered_at, CONCAT('call ', status)
  FROM {audit}.v_scraper_runs
  WHERE DATE(triggered_at) BETWEEN first_date AND DATE_ADD(last_date, INTERVAL 1 DAY)
),
local AS (
  SELECT DATETIME(moment, 'America/New_York') AS moment, what FROM happened
)
SELECT
  DATE(moment) AS date,
  EXTRACT(HOUR FROM moment) AS hour,
  COUNTIF(what = 'RUN') AS runs,
  COUNTIF(what = 'SKIP') AS skips,
  COUNTIF(what = 'ABORT') AS aborts,
  COUNTIF(what = 'execution') AS executions,
  COUNTIF(what = 'call success') AS calls_with_data,
  COUNTIF(what = 'call no_data') AS calls_without_data,
  COUNTIF(what = 'call failed') AS failed_tries
FROM local
WHERE DATE(moment) BETWEEN first_date AND last_date
GROUP BY date, hour;
