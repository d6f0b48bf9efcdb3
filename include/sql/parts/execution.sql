-- The columns of an execution that every reader gets, from workflow_executions.
TO_JSON_STRING(STRUCT(
  execution_id AS execution_id,
  UNIX_MICROS(execution_time) AS execution_time,
  workflow_name AS workflow_name,
  decision_id AS decision_id,
  scrapers_triggered AS scrapers_triggered,
  scrapers_succeeded AS scrapers_succeeded,
  COALESCE(scrapers_no_data, 0) AS scrapers_no_data,
  status AS status,
  duration_seconds AS duration_seconds,
  error_message AS error_message,
  UNIX_MICROS(created_at) AS created_at,
  UNIX_MICROS(slot_time) AS slot_time,
  CAST(target_date AS STRING) AS target_date,
  deadline_missed AS deadline_missed,
  run_id AS run_id
))
