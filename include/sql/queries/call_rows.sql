-- The rows of all calls of a task, or of the call at `call_index`. The last try of each call comes first.
-- Parameters: dag_id, run_id, task_id STRING; map_index, call_index INT64 (-1: all); first_date, last_date DATE (UTC).
SELECT *
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) BETWEEN @first_date AND @last_date
  AND dag_id = @dag_id
  AND dag_run_id = @run_id
  AND task_id = @task_id
  AND map_index = @map_index
  AND @call_index IN (-1, call_index)
ORDER BY call_index, try_number DESC
