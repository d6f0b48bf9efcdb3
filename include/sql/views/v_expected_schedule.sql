-- Expected runs, one row per id
-- The day stands in PARTITION BY so that a reader's filter on it reaches the table's partitions.
CREATE OR REPLACE VIEW nba_orchestration.v_expected_schedule
OPTIONS(description="Expected runs, one row per id")
AS
SELECT *
FROM nba_orchestration.daily_expected_schedule
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY date, expected_id ORDER BY created_at DESC) = 1;
