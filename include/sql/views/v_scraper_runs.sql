-- Tries of calls, one row per id
-- What a try said itself goes before what was said for it after its process had been killed.
-- The day stands in PARTITION BY so that a reader's filter on it reaches the table's partitions.
CREATE OR REPLACE VIEW nba_orchestration.v_scraper_runs
OPTIONS(description="Tries of calls, one row per id")
AS
SELECT *
FROM nba_orchestration.scraper_execution_log
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY DATE(triggered_at), row_id
  ORDER BY IF(IFNULL(error_type, '') = 'killed', 1, 0), created_at DESC
) = 1;
