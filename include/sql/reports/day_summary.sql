-- One row for each day, from lock to lock: its runs, decisions, executions and calls. ET dates, both included.
CREATE OR REPLACE TABLE FUNCTION {audit}.day_summary(first_date DATE, last_date DATE) AS
WITH expected AS (
  SELECT date AS its_day, COUNT(*) AS expected_runs
  FROM {audit}.v_expected_schedule
  WHERE date BETWEEN first_date AND last_date
  GROUP BY its_day
),
decided AS (
  SELECT
    its_day,
    COUNTIF(action = 'RUN') AS runs,
    COUNTIF(action = 'SKIP') AS skips,
    COUNTIF(action = 'ABORT') AS aborts
  FROM {audit}.days_decisions(first_date, last_date)
  GROUP BY its_day
),
executed AS (
  SELECT
    its_day,
    COUNTIF(status = 'completed') AS completed,
    COUNTIF(status = 'partial') AS partial,
    COUNTIF(status = 'failed') AS failed
  FROM {audit}.days_executions(first_date, last_date)
  GROUP BY its_day
),
called AS (
  SELECT
    its_day,
    COUNTIF(status = 'success') AS calls_with_data,
    COUNTIF(status = 'no_data') AS calls_without_data,
    COUNTIF(status = 'failed') AS failed_tries
  FROM {audit}.days_calls(first_date, last_date)
  GROUP BY its_day
),
cleaned AS (
  SELECT its_day, SUM(republished_count) AS republished
  FROM {audit}.days_cleanups(first_date, last_date)
  GROUP BY its_day
)
SELECT
  day AS date,
  IFNULL(expected.expected_runs, 0) AS expected_runs,
  IFNULL(decided.runs, 0) AS runs,
  IFNULL(decided.skips, 0) AS skips,
  IFNULL(decided.aborts, 0) AS aborts,
  IFNULL(executed.completed, 0) AS completed,
  IFNULL(executed.partial, 0) AS partial,
  IFNULL(executed.failed, 0) AS failed,
  IFNULL(called.calls_with_data, 0) AS calls_with_data,
  IFNULL(called.calls_without_data, 0) AS calls_without_data,
  IFNULL(called.failed_tries, 0) AS failed_tries,
  IFNULL(cleaned.republished, 0) AS republished
FROM UNNEST(GENERATE_DATE_ARRAY(first_date, last_date)) AS day
LEFT JOIN expected ON expected.its_day = day
LEFT JOIN decided ON decided.its_day = day
LEFT JOIN executed ON executed.its_day = day
LEFT JOIN called ON called.its_day = day
LEFT JOIN cleaned ON cleaned.its_day = day;
