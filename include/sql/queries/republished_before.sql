-- How often each file was republished, and when last.
-- Parameters: oldest TIMESTAMP; oldest_date DATE.
SELECT file.gcs_path AS gcs_path, COUNT(*) AS times, MAX(cleanup_time) AS last_time
FROM {audit}.v_cleanup_operations, UNNEST(missing_files) AS file
WHERE DATE(cleanup_time) >= @oldest_date
  AND cleanup_time >= @oldest
  AND file.republished
GROUP BY gcs_path
