-- How reliable each source is: one row for each week (its Monday), source and scraper. The source is the start of the
-- scraper's name. A call that succeeds at a later try counts as a success; `failed_tries` counts its failed try. `found` has,
-- for each target date, the ET time at which a call first found data. `usual_hour` is the median of these times, in hours
-- after midnight of the target date: 25 means 01:00 of the next day. ET dates of days from lock to lock, both included.
CREATE OR REPLACE TABLE FUNCTION {audit}.source_reliability(first_date DATE, last_date DATE) AS
WITH tries AS (
  SELECT
    CAST(DATE_TRUNC(its_day, WEEK(MONDAY)) AS DATE) AS week,
    scraper_name, workflow, dag_run_id, map_index, call_index, try_number, status, duration_seconds, triggered_at,
    target_date
  FROM {audit}.days_calls(first_date, last_date)
),
last_tries AS (
  SELECT week, scraper_name, status
  FROM tries
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY scraper_name, workflow, dag_run_id, map_index, call_index ORDER BY try_number DESC
  ) = 1
),
called AS (
  SELECT
    week, scraper_name,
    COUNT(*) AS calls,
    COUNTIF(status = 'success') AS success,
    COUNTIF(status = 'no_data') AS no_data,
    COUNTIF(status = 'failed') AS failed
  FROM last_tries
  GROUP BY week, scraper_name
),
tried AS (
  SELECT
    week, scraper_name, COUNTIF(status = 'failed') AS failed_tries, ANY_VALUE(median_seconds) AS median_seconds
  FROM (
    SELECT
      week, scraper_name, status,
      PERCENTILE_CONT(duration_seconds, 0.5) OVER (PARTITION BY week, scraper_name) AS median_seconds
    FROM tries
  )
  GROUP BY week, scraper_name
),
found_first AS (
  -- Data of an earlier date may have been found before the first day of the period.
  SELECT
    MIN(week) AS week, scraper_name, target_date, DATETIME(MIN(triggered_at), 'America/New_York') AS found_at
  FROM tries
  WHERE status = 'success' AND target_date BETWEEN first_date AND last_date
  GROUP BY scraper_name, target_date
),
published AS (
  SELECT
    week, scraper_name,
    ANY_VALUE(usual_hour) AS usual_hour,
    ARRAY_AGG(STRUCT(target_date AS target_date, found_at AS found_at) ORDER BY target_date) AS found
  FROM (
    SELECT
      week, scraper_name, target_date, found_at,
      PERCENTILE_CONT(DATETIME_DIFF(found_at, DATETIME(target_date), HOUR), 0.5) OVER (
        PARTITION BY week, scraper_name
      ) AS usual_hour
    FROM found_first
  )
  GROUP BY week, scraper_name
)
SELECT
  called.week AS week,
  REGEXP_EXTRACT(called.scraper_name, r'^[^_]+') AS source,
  called.scraper_name AS scraper_name,
  called.calls AS calls,
  called.success AS success,
  called.no_data AS no_data,
  called.failed AS failed,
  tried.failed_tries AS failed_tries,
  ROUND(tried.median_seconds, 3) AS median_seconds,
  published.usual_hour AS usual_hour,
  published.found AS found
FROM called
JOIN tried ON tried.week = called.week AND tried.scraper_name = called.scraper_name
LEFT JOIN published ON published.week = called.week AND published.scraper_name = called.scraper_name;
