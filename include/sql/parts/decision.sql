-- The columns of a decision that every reader gets, from workflow_decisions. Of the context it has only the mode.
TO_JSON_STRING(STRUCT(
  decision_id AS decision_id,
  UNIX_MICROS(decision_time) AS decision_time,
  workflow_name AS workflow_name,
  action AS action,
  reason AS reason,
  STRUCT(JSON_VALUE(context, '$.mode') AS mode) AS context,
  scrapers_triggered AS scrapers_triggered,
  target_games AS target_games,
  UNIX_MICROS(next_check_time) AS next_check_time,
  alert_level AS alert_level,
  triggered_by AS triggered_by,
  UNIX_MICROS(created_at) AS created_at,
  UNIX_MICROS(slot_time) AS slot_time,
  rule AS rule,
  CAST(target_date AS STRING) AS target_date,
  run_id AS run_id
))
