-- The last row of each run in the scraper service's log. The log is a separate table or our own log of calls, which also has
-- our rows. Only columns that the service writes are selected.
-- Parameters: run_ids ARRAY<STRING>; first_date, last_date DATE (UTC).
SELECT execution_id, status, gcs_path, error_type, error_message, retry_count
FROM {service_log}
WHERE DATE(triggered_at) BETWEEN @first_date AND @last_date
  AND execution_id IN UNNEST(@run_ids)
  AND {not_ours}
QUALIFY ROW_NUMBER() OVER (PARTITION BY execution_id ORDER BY created_at DESC, gcs_path DESC) = 1
