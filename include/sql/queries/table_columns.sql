-- The columns of a dataset's tables, and which of them is the partition. The dataset comes from the configuration
-- (letters, digits and underscores only).
SELECT table_name, column_name, data_type, is_nullable
FROM {dataset}.INFORMATION_SCHEMA.COLUMNS
