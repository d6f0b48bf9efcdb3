-- Other runs of a workflow on one ET day that missed their deadline and about which an alert was sent.
-- Parameters: workflow, run_id, untold STRING (the end of the error of a run that nobody was alerted about); day, next_day
-- DATE (ET; two dates, since an ET day spans two UTC days).
SELECT run_id
FROM {audit}.v_workflow_executions
WHERE DATE(execution_time) BETWEEN @day AND @next_day
  AND workflow_name = @workflow
  AND run_id != @run_id
  AND deadline_missed
  AND NOT ENDS_WITH(IFNULL(error_message, ''), @untold)
  AND DATE(DATETIME(slot_time, 'America/New_York')) = @day
LIMIT 1
