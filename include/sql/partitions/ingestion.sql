-- The partitions of a table by the time of loading. Rows that were streamed a short time ago have none yet: it is NULL.
-- Parameters: first_date DATE; oldest TIMESTAMP.
({partition_column} >= TIMESTAMP_TRUNC(LEAST(TIMESTAMP(@first_date), @oldest), {granularity}) OR {partition_column} IS NULL)
