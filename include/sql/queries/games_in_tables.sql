-- The games of some dates that are in a table of Phase 2: one part of a query over several tables. The partition is the condition of
-- include/sql/partitions for this table. A game is its id, as text or as a number, or its code.
-- Parameters: games ARRAY<STRING>; oldest TIMESTAMP; first_date, last_date DATE.
SELECT DISTINCT '{table}' AS table_name, CAST({game_column} AS STRING) AS game
FROM {table}
WHERE {partition}
  AND CAST({game_column} AS STRING) IN UNNEST(@games)
