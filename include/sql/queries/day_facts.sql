-- Everything the health check and the timeline show of one orchestration day, in one round trip. Each row is a kind and
-- a JSON object. What was done later about the day's games, by reconcile or by hand, is part of it.
-- Parameters: day DATE; start, until (of ticks), seen_until TIMESTAMP; start_date, schedule_from, schedule_to DATE (ET);
-- record_from, record_to DATE (UTC), of what is looked through for the first decision on record.
SELECT kind, payload
FROM {audit}.known_schedule(@schedule_from, @schedule_to)
UNION ALL
SELECT 'expected', TO_JSON_STRING(STRUCT(
  workflow_name AS workflow,
  UNIX_SECONDS(expected_run_time) AS tick,
  UNIX_SECONDS(locked_at) AS locked_at,
  reason AS reason,
  rules AS rules,
  forced AS forced
))
FROM {audit}.v_expected_schedule
WHERE date = @day
UNION ALL
SELECT 'decision', TO_JSON_STRING(STRUCT(
  decision_id AS decision_id,
  workflow_name AS workflow,
  UNIX_SECONDS(slot_time) AS tick,
  action AS action,
  rule AS rule,
  reason AS reason,
  alert_level AS alert_level,
  run_id AS run_id,
  IFNULL(JSON_VALUE(context, '$.mode') = 'shadow', FALSE) AS shadow,
  CAST(target_date AS STRING) AS target_date,
  UNIX_SECONDS(next_check_time) AS next_check,
  UNIX_SECONDS(decision_time) AS at_second
))
FROM {audit}.v_workflow_decisions
WHERE DATE(decision_time) >= @start_date
  AND slot_time >= @start
  AND slot_time < @until
UNION ALL
SELECT 'execution', TO_JSON_STRING(STRUCT(
  execution_id AS execution_id,
  decision_id AS decision_id,
  workflow_name AS workflow,
  UNIX_SECONDS(slot_time) AS tick,
  CAST(target_date AS STRING) AS target_date,
  status AS status,
  scrapers_triggered AS calls,
  scrapers_failed AS failed,
  COALESCE(scrapers_no_data, 0) AS no_data,
  UNIX_SECONDS(execution_time) + CAST(COALESCE(duration_seconds, 0) AS INT64) AS ended,
  error_message AS error,
  deadline_missed AS deadline_missed,
  run_id AS run_id
))
FROM {audit}.v_workflow_executions
WHERE DATE(execution_time) >= @start_date
  AND slot_time >= @start
  AND (slot_time < @until OR (target_date = @day AND slot_time <= @seen_until))
UNION ALL
SELECT 'call', TO_JSON_STRING(STRUCT(
  scraper_name AS scraper,
  workflow AS workflow,
  UNIX_SECONDS(slot_time) AS tick,
  UNIX_SECONDS(triggered_at) AS at_second,
  CAST(target_date AS STRING) AS target_date,
  status AS outcome,
  game_id AS game_id,
  label AS label,
  error_type AS error_type,
  error_message AS error,
  dag_run_id AS run_id,
  task_id AS task_id,
  map_index AS map_index,
  call_index AS call_index,
  try_number AS try_number,
  gcs_path AS gcs_path,
  duration_seconds AS seconds,
  timeout_seconds AS timeout_seconds
))
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) >= @start_date
  AND slot_time >= @start
  AND (slot_time < @until OR (target_date = @day AND slot_time <= @seen_until))
UNION ALL
SELECT 'cleanup', TO_JSON_STRING(STRUCT(
  UNIX_SECONDS(cleanup_time) AS at_second,
  files_checked AS checked,
  missing_files_found AS missing,
  republished_count AS republished,
  errors AS errors,
  (SELECT MAX(missing.age_minutes) FROM UNNEST(missing_files) AS missing) AS oldest_missing,
  missing_files AS waiting,
  seen AS seen
))
FROM {audit}.v_cleanup_operations
WHERE DATE(cleanup_time) >= @start_date
  AND cleanup_time >= @start
  AND cleanup_time <= @seen_until
UNION ALL
SELECT 'first', TO_JSON_STRING(STRUCT(
  workflow_name AS workflow,
  UNIX_SECONDS(tick) AS tick,
  UNIX_SECONDS(decided_at) AS made_at
))
FROM {audit}.first_decisions(@record_from, @record_to)
WHERE tick < @until
UNION ALL
SELECT 'brought', TO_JSON_STRING(STRUCT(
  scraper_name AS scraper,
  CAST(target_date AS STRING) AS date,
  UNIX_SECONDS(MAX(IF(status = 'success', slot_time, NULL))) AS last
))
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) BETWEEN @record_from AND @start_date
  AND slot_time < @start
  AND status IN ('success', 'no_data')
GROUP BY scraper_name, target_date
