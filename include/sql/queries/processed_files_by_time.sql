-- As processed_files, for a table that is partitioned by a timestamp.
-- Parameters: paths ARRAY<STRING>; oldest TIMESTAMP.
SELECT '{table}' AS table_name, source_file_path, MAX(CAST({time_column} AS TIMESTAMP)) AS processed_at
FROM {table}
WHERE {partition_column} >= @oldest
  AND (
    {audit}.bare_path(source_file_path) IN UNNEST(@paths)
    OR {audit}.inner_path(source_file_path) IN UNNEST(@paths)
    OR CAST({time_column} AS TIMESTAMP) >= @oldest
  )
GROUP BY source_file_path
