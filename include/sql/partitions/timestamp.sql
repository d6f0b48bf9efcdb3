-- The partitions of a table by a TIMESTAMP column. Parameters: first_date DATE; oldest TIMESTAMP.
{partition_column} >= TIMESTAMP_TRUNC(LEAST(TIMESTAMP(@first_date), @oldest), {granularity})
