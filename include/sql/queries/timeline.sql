-- A day's decisions in order, each with its execution and the outcomes of its calls.
-- Parameters: first_date, last_date DATE (ET, from lock to lock).
SELECT
  workflow_name,
  slot_time,
  ANY_VALUE(action) AS action,
  ANY_VALUE(reason) AS reason,
  ANY_VALUE(triggered_by) AS triggered_by,
  ANY_VALUE(execution_status) AS execution_status,
  ANY_VALUE(execution_error) AS execution_error,
  COUNTIF(call_status = 'success') AS success,
  COUNTIF(call_status = 'no_data') AS no_data,
  COUNTIF(call_status = 'failed') AS failed_tries
FROM {audit}.decision_trace(@first_date, @last_date)
GROUP BY decision_id, workflow_name, slot_time
ORDER BY slot_time, workflow_name
