-- Executions, one row per id, the latest
-- Rows without a DAG are not ours: those of the system before, and of the service itself.
-- The day stands in PARTITION BY so that a reader's filter on it reaches the table's partitions.
CREATE OR REPLACE VIEW {audit}.v_workflow_executions
OPTIONS(description="Executions, one row per id, the latest")
AS
SELECT * EXCEPT (deadline_missed),
  -- Said once, by Airflow's deadline alert, in a row that the run's own one then takes the place of.
  LOGICAL_OR(IFNULL(deadline_missed, FALSE)) OVER (PARTITION BY DATE(execution_time), execution_id) AS deadline_missed
FROM {audit}.workflow_executions
WHERE dag_id IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY DATE(execution_time), execution_id ORDER BY created_at DESC) = 1;
