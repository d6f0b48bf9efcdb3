-- All rows of a table without partitions.
TRUE
