-- How often each scraper found data, found nothing or failed: the three rates add up to 1. Seven days are a good period. A
-- call that succeeded at a later try counts as a success with a failed try. `blocked` counts the tries that the source
-- refused. ET dates of days from lock to lock, both included.
CREATE OR REPLACE TABLE FUNCTION {audit}.scraper_success_rates(first_date DATE, last_date DATE) AS
WITH tries AS (
  SELECT
    scraper_name, dag_run_id, workflow, map_index, call_index, try_number, status, duration_seconds, error_type,
    error_message
  FROM {audit}.days_calls(first_date, last_date)
),
last_tries AS (
  SELECT *
  FROM tries
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY scraper_name, workflow, dag_run_id, map_index, call_index ORDER BY try_number DESC
  ) = 1
),
failures AS (
  SELECT
    scraper_name,
    COUNT(*) AS failed_tries,
    COUNTIF(error_type IN ({blocked_errors})) AS blocked,
    COUNTIF(error_type = 'timeout') AS timeouts,
    ANY_VALUE(error_message) AS sample_error
  FROM tries
  WHERE status = 'failed'
  GROUP BY scraper_name
)
SELECT
  last_tries.scraper_name AS scraper_name,
  COUNT(*) AS calls,
  COUNTIF(last_tries.status = 'success') AS success,
  COUNTIF(last_tries.status = 'no_data') AS no_data,
  COUNTIF(last_tries.status = 'failed') AS failed,
  ROUND(COUNTIF(last_tries.status = 'success') / COUNT(*), 4) AS success_rate,
  ROUND(COUNTIF(last_tries.status = 'no_data') / COUNT(*), 4) AS no_data_rate,
  ROUND(COUNTIF(last_tries.status = 'failed') / COUNT(*), 4) AS failure_rate,
  ROUND(AVG(last_tries.duration_seconds), 3) AS average_seconds,
  IFNULL(ANY_VALUE(failures.failed_tries), 0) AS failed_tries,
  IFNULL(ANY_VALUE(failures.blocked), 0) AS blocked,
  IFNULL(ANY_VALUE(failures.timeouts), 0) AS timeouts,
  ANY_VALUE(failures.sample_error) AS sample_error
FROM last_tries
LEFT JOIN failures ON failures.scraper_name = last_tries.scraper_name
GROUP BY last_tries.scraper_name;
