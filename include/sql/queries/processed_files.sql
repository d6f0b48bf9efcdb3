-- Which files have reached a table that Phase 2 writes; one part of a query over a group of tables. Table and partition
-- column come from the configuration (letters, digits and underscores only), put in by orchestration.audit.statements.
-- Parameters: paths ARRAY<STRING>; first_date, last_date DATE.
SELECT DISTINCT '{table}' AS table_name, source_file_path
FROM {table}
WHERE {partition_column} BETWEEN @first_date AND @last_date
  AND source_file_path IN UNNEST(@paths)
