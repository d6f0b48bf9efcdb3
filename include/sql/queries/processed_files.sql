-- Which files have reached a table that Phase 2 writes; one part of a query over a group of tables. Names of tables and
-- columns come from the configuration (letters, digits and underscores only), put in by orchestration.audit.statements.
-- {time_column} is NULL, or processed_at of a table that keeps the newest file only: then whatever was written lately
-- comes along. Parameters: paths ARRAY<STRING>; oldest TIMESTAMP; first_date, last_date DATE.
SELECT '{table}' AS table_name, source_file_path, MAX(CAST({time_column} AS TIMESTAMP)) AS processed_at
FROM {table}
WHERE {partition_column} BETWEEN @first_date AND @last_date
  AND (
    {audit}.bare_path(source_file_path) IN UNNEST(@paths)
    OR {audit}.inner_path(source_file_path) IN UNNEST(@paths)
    OR CAST({time_column} AS TIMESTAMP) >= @oldest
  )
GROUP BY source_file_path
