-- Expected runs, one row per id, of the lock that counts: the day's first lock, or the last forced one
-- Rows without a DAG belong to the other system or to the service.
-- The day stands in PARTITION BY so that a reader's filter on it reaches the table's partitions.
CREATE OR REPLACE VIEW {audit}.v_expected_schedule
OPTIONS(description="Expected runs of the lock that counts: the day's first lock, or the last forced one")
AS
WITH rows_by_id AS (
  SELECT
    *,
    MIN(created_at) OVER (PARTITION BY date, run_id) AS first_said,
    -- A lock that was retried or cleared writes all its runs again: a run that it leaves out is no longer expected.
    MAX(created_at) OVER (PARTITION BY date, run_id) AS last_said
  FROM {audit}.daily_expected_schedule
  WHERE dag_id IS NOT NULL
  QUALIFY ROW_NUMBER() OVER (PARTITION BY date, expected_id ORDER BY created_at DESC) = 1
)
SELECT * EXCEPT (first_said, last_said)
FROM rows_by_id
WHERE created_at = last_said
QUALIFY DENSE_RANK() OVER (
  PARTITION BY date
  ORDER BY IF(forced, 0, 1), IF(forced, -UNIX_MICROS(last_said), UNIX_MICROS(first_said)), run_id
) = 1;
