-- A run that missed its deadline, if nobody was alerted about it.
-- Parameters: workflow, run_id, untold STRING (the end of the error of a run that nobody was alerted about); day DATE (the
-- UTC day of its execution).
SELECT run_id
FROM {audit}.v_workflow_executions
WHERE DATE(execution_time) = @day
  AND workflow_name = @workflow
  AND run_id = @run_id
  AND ENDS_WITH(IFNULL(error_message, ''), @untold)
