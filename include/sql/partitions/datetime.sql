-- The partitions of a table by a DATETIME column. Parameters: first_date DATE; oldest TIMESTAMP.
{partition_column} >= DATETIME_TRUNC(LEAST(DATETIME(@first_date), DATETIME(@oldest)), {granularity})
