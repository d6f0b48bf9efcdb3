-- Expected runs, one row per id, of the lock that counts: the day's first one, or the last that was forced
-- Rows without a DAG are not ours: those of the system before, and of the service itself.
-- The day stands in PARTITION BY so that a reader's filter on it reaches the table's partitions.
CREATE OR REPLACE VIEW {audit}.v_expected_schedule
OPTIONS(description="Expected runs of the lock that counts: the day's first one, or the last that was forced")
AS
WITH rows_by_id AS (
  SELECT *
  FROM {audit}.daily_expected_schedule
  WHERE dag_id IS NOT NULL
  QUALIFY ROW_NUMBER() OVER (PARTITION BY date, expected_id ORDER BY created_at DESC) = 1
)
SELECT *
FROM rows_by_id
WHERE TRUE
QUALIFY DENSE_RANK() OVER (
  PARTITION BY date
  ORDER BY IF(forced, 0, 1), IF(forced, -UNIX_MICROS(created_at), UNIX_MICROS(created_at)), run_id
) = 1;
