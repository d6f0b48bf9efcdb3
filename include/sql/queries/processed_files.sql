-- The files that have reached a table of Phase 2: one part of a query over a group of tables. The names of the table and of
-- the columns come from the configuration (letters, digits and underscores only) through orchestration.audit.statements.
-- The partition is the condition of include/sql/partitions for this table. {time_column} says when a row was processed, or is NULL.
-- {newest_column} is the same column for a table that keeps only the newest file, else NULL. Of such a table, all rows since
-- `oldest` are selected too.
-- Parameters: paths ARRAY<STRING>; oldest TIMESTAMP; first_date, last_date DATE.
SELECT '{table}' AS table_name, source_file_path, MAX(CAST({time_column} AS TIMESTAMP)) AS processed_at
FROM {table}
WHERE {partition}
  AND (
    {audit}.bare_path(source_file_path) IN UNNEST(@paths)
    OR {audit}.inner_path(source_file_path) IN UNNEST(@paths)
    OR CAST({newest_column} AS TIMESTAMP) >= @oldest
  )
GROUP BY source_file_path
