-- All partitions of a table by an INTEGER column, which says nothing about time. BigQuery may require that it is named.
({partition_column} >= -9223372036854775808 OR {partition_column} IS NULL)
