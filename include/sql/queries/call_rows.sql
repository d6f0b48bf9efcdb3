-- The rows of one call, the last try first.
-- Parameters: dag_id, run_id, task_id STRING; map_index INT64; first_date, last_date DATE (UTC).
SELECT *
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) BETWEEN @first_date AND @last_date
  AND dag_id = @dag_id
  AND dag_run_id = @run_id
  AND task_id = @task_id
  AND map_index = @map_index
ORDER BY try_number DESC
