-- Other runs of a workflow on one ET day that missed their deadline, and of which people were told.
-- Parameters: workflow, run_id, untold STRING (how the error of one ends of which nobody was told); day, next_day DATE
-- (ET; two, since an ET day touches two UTC days).
SELECT run_id
FROM {audit}.v_workflow_executions
WHERE DATE(execution_time) BETWEEN @day AND @next_day
  AND workflow_name = @workflow
  AND run_id != @run_id
  AND deadline_missed
  AND NOT ENDS_WITH(IFNULL(error_message, ''), @untold)
  AND DATE(DATETIME(slot_time, 'America/New_York')) = @day
LIMIT 1
