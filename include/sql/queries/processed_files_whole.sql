-- As processed_files, for a table without partitions.
-- Parameters: paths ARRAY<STRING>.
SELECT DISTINCT source_file_path
FROM {table}
WHERE source_file_path IN UNNEST(@paths)
