-- Executions, one row per id, the latest
-- Rows without a DAG belong to the other system or to the service.
-- The day stands in PARTITION BY so that a reader's filter on it reaches the table's partitions.
CREATE OR REPLACE VIEW {audit}.v_workflow_executions
OPTIONS(description="Executions, one row per id, the latest")
AS
SELECT * EXCEPT (deadline_missed),
  -- Only the row of Airflow's deadline alert sets this column. The run's own row replaces that row.
  LOGICAL_OR(IFNULL(deadline_missed, FALSE)) OVER (PARTITION BY DATE(execution_time), execution_id) AS deadline_missed
FROM {audit}.workflow_executions
WHERE dag_id IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY DATE(execution_time), execution_id ORDER BY created_at DESC) = 1;
