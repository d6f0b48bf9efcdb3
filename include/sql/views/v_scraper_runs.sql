-- Tries of calls, one row per id
-- The row that a try wrote itself wins over the row that `finish` or a later try wrote because the try was killed.
-- Rows without a DAG belong to the other system or to the service.
-- The day stands in PARTITION BY so that a reader's filter on it reaches the table's partitions.
CREATE OR REPLACE VIEW {audit}.v_scraper_runs
OPTIONS(description="Tries of calls, one row per id")
AS
SELECT *
FROM {audit}.scraper_execution_log
WHERE dag_id IS NOT NULL
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY DATE(triggered_at), row_id
  ORDER BY IF(IFNULL(error_type, '') = 'killed', 1, 0), created_at DESC
) = 1;
