-- As processed_files, for a table that is partitioned by a timestamp.
-- Parameters: paths ARRAY<STRING>; oldest TIMESTAMP.
SELECT DISTINCT '{table}' AS table_name, source_file_path
FROM {table}
WHERE {partition_column} >= @oldest
  AND source_file_path IN UNNEST(@paths)
