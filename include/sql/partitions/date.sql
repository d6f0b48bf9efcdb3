-- The partitions of a table by a DATE column. Parameters: first_date, last_date DATE.
{partition_column} BETWEEN DATE_TRUNC(@first_date, {granularity}) AND @last_date
