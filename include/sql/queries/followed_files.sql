-- The last cleanup that could check files, with the files that it follows. One row with a JSON object, or none.
-- Parameters: oldest_date DATE (UTC); seen_at TIMESTAMP.
SELECT {cleanup} AS payload
FROM {audit}.v_cleanup_operations
WHERE DATE(cleanup_time) >= @oldest_date
  AND cleanup_time < @seen_at
  AND files_since IS NOT NULL
ORDER BY cleanup_time DESC
LIMIT 1
