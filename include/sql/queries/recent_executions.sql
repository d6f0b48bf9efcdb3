-- Executions of the look-back in which a call failed.
-- Parameters: oldest TIMESTAMP; oldest_date DATE.
SELECT *
FROM {audit}.v_workflow_executions
WHERE DATE(execution_time) >= @oldest_date
  AND execution_time >= @oldest
  AND status != 'completed'
ORDER BY execution_time, execution_id
