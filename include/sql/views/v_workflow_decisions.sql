-- Decisions, one row per id
-- The day stands in PARTITION BY so that a reader's filter on it reaches the table's partitions.
CREATE OR REPLACE VIEW nba_orchestration.v_workflow_decisions
OPTIONS(description="Decisions, one row per id")
AS
SELECT *
FROM nba_orchestration.workflow_decisions
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY DATE(decision_time), decision_id ORDER BY created_at DESC) = 1;
