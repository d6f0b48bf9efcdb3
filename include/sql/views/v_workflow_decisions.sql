-- Decisions, one row per id
-- Rows without a DAG belong to the other system or to the service.
-- The day stands in PARTITION BY so that a reader's filter on it reaches the table's partitions.
CREATE OR REPLACE VIEW {audit}.v_workflow_decisions
OPTIONS(description="Decisions, one row per id")
AS
SELECT *
FROM {audit}.workflow_decisions
WHERE dag_id IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY DATE(decision_time), decision_id ORDER BY created_at DESC) = 1;
