-- As processed_files, for a table without partitions.
-- Parameters: paths ARRAY<STRING>.
SELECT DISTINCT '{table}' AS table_name, source_file_path
FROM {table}
WHERE source_file_path IN UNNEST(@paths)
