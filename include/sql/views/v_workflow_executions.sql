-- Executions, one row per id, the latest
-- The day stands in PARTITION BY so that a reader's filter on it reaches the table's partitions.
CREATE OR REPLACE VIEW nba_orchestration.v_workflow_executions
OPTIONS(description="Executions, one row per id, the latest")
AS
SELECT *
FROM nba_orchestration.workflow_executions
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY DATE(execution_time), execution_id ORDER BY created_at DESC) = 1;
