-- How each scraper fares; give it seven days. A call that failed at first and succeeded later is a success with one
-- failed try. ET dates of the day that began with the 05:00 ET lock, both included.
CREATE OR REPLACE TABLE FUNCTION nba_orchestration.scraper_success_rates(first_date DATE, last_date DATE) AS
WITH tries AS (
  SELECT scraper_name, dag_run_id, workflow, map_index, try_number, status, duration_seconds, error_type, error_message
  FROM nba_orchestration.v_scraper_runs
  WHERE DATE(triggered_at) BETWEEN first_date AND DATE_ADD(last_date, INTERVAL 2 DAY)
    AND DATE(DATETIME_SUB(DATETIME(slot_time, 'America/New_York'), INTERVAL 5 HOUR)) BETWEEN first_date AND last_date
),
calls AS (
  SELECT *
  FROM tries
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY scraper_name, workflow, dag_run_id, map_index ORDER BY try_number DESC
  ) = 1
),
failures AS (
  SELECT
    scraper_name,
    COUNT(*) AS failed_tries,
    COUNTIF(error_type = 'blocked') AS blocked,
    COUNTIF(error_type = 'timeout') AS timeouts,
    ANY_VALUE(error_message) AS sample_error
  FROM tries
  WHERE status = 'failed'
  GROUP BY scraper_name
)
SELECT
  calls.scraper_name AS scraper_name,
  COUNT(*) AS calls,
  COUNTIF(calls.status = 'success') AS success,
  COUNTIF(calls.status = 'no_data') AS no_data,
  COUNTIF(calls.status = 'failed') AS failed,
  ROUND(COUNTIF(calls.status != 'failed') / COUNT(*), 4) AS success_rate,
  ROUND(AVG(calls.duration_seconds), 3) AS average_seconds,
  IFNULL(ANY_VALUE(failures.failed_tries), 0) AS failed_tries,
  IFNULL(ANY_VALUE(failures.blocked), 0) AS blocked,
  IFNULL(ANY_VALUE(failures.timeouts), 0) AS timeouts,
  ANY_VALUE(failures.sample_error) AS sample_error
FROM calls
LEFT JOIN failures ON failures.scraper_name = calls.scraper_name
GROUP BY calls.scraper_name;
