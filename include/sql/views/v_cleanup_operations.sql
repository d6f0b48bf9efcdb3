-- Cleanups, one row per id
-- The day stands in PARTITION BY so that a reader's filter on it reaches the table's partitions.
CREATE OR REPLACE VIEW nba_orchestration.v_cleanup_operations
OPTIONS(description="Cleanups, one row per id")
AS
SELECT *
FROM nba_orchestration.cleanup_operations
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY DATE(cleanup_time), cleanup_id ORDER BY created_at DESC) = 1;
