-- The files that have reached a table of Phase 2: one part of a query over a group of tables. The names of the table and of
-- the columns come from the configuration (letters, digits and underscores only) through orchestration.audit.statements.
-- {time_column} is NULL, or processed_at for a table that keeps only the newest file. From such a table all rows since `oldest`
-- are selected too. Parameters: paths ARRAY<STRING>; oldest TIMESTAMP; first_date, last_date DATE.
SELECT '{table}' AS table_name, source_file_path, MAX(CAST({time_column} AS TIMESTAMP)) AS processed_at
FROM {table}
WHERE {partition_column} BETWEEN @first_date AND @last_date
  AND (
    {audit}.bare_path(source_file_path) IN UNNEST(@paths)
    OR {audit}.inner_path(source_file_path) IN UNNEST(@paths)
    OR CAST({time_column} AS TIMESTAMP) >= @oldest
  )
GROUP BY source_file_path
