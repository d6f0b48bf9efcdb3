-- All records of one orchestration day that the health check and the timeline show, in one round trip. Later executions and
-- calls about the games of the day are included. Each row is a kind and a JSON object.
-- Parameters: day DATE; start, until (of ticks), seen_until TIMESTAMP; start_date, schedule_from, schedule_to DATE (ET);
-- record_from, record_to DATE (UTC), the days that are searched for the first decision on record; learned_from DATE (UTC),
-- the first day of the earlier calls that are summed up by tick.
SELECT kind, payload
FROM {audit}.known_schedule(@schedule_from, @schedule_to)
UNION ALL
SELECT 'expected', TO_JSON_STRING(STRUCT(
  UNIX_MICROS(locked_at) AS locked_at,
  workflow_name AS workflow_name,
  UNIX_MICROS(expected_run_time) AS expected_run_time,
  reason AS reason,
  rules AS rules,
  calls AS calls,
  forced AS forced
))
FROM {audit}.v_expected_schedule
WHERE date = @day
UNION ALL
SELECT 'decision', {decision}
FROM {audit}.v_workflow_decisions
WHERE DATE(decision_time) >= @start_date
  AND slot_time >= @start
  AND slot_time < @until
UNION ALL
SELECT 'execution', {execution}
FROM {audit}.v_workflow_executions
WHERE DATE(execution_time) >= @start_date
  AND slot_time >= @start
  AND (slot_time < @until OR (target_date = @day AND slot_time <= @seen_until))
UNION ALL
SELECT 'call', {call}
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) >= @start_date
  AND slot_time >= @start
  AND (slot_time < @until OR (target_date = @day AND slot_time <= @seen_until))
UNION ALL
SELECT 'cleanup', {cleanup}
FROM {audit}.v_cleanup_operations
WHERE DATE(cleanup_time) >= @start_date
  AND cleanup_time >= @start
  AND cleanup_time <= @seen_until
UNION ALL
SELECT 'cleanup_before', payload
FROM (
  SELECT {cleanup} AS payload
  FROM {audit}.v_cleanup_operations
  WHERE DATE(cleanup_time) BETWEEN @record_from AND @start_date
    AND cleanup_time < @start
    AND files_since IS NOT NULL
  ORDER BY cleanup_time DESC
  LIMIT 1
)
UNION ALL
SELECT 'first', TO_JSON_STRING(STRUCT(
  workflow_name AS workflow_name,
  UNIX_MICROS(tick) AS tick,
  UNIX_MICROS(decided_at) AS decided_at
))
FROM {audit}.first_decisions(@record_from, @record_to)
WHERE tick < @until
UNION ALL
SELECT 'asked', TO_JSON_STRING(STRUCT(
  workflow AS workflow,
  scraper_name AS scraper_name,
  UNIX_MICROS(slot_time) AS tick,
  CAST(target_date AS STRING) AS target_date,
  COUNT(*) AS calls,
  SUM(IF(status = 'success', 1, 0)) AS found,
  AVG(IF(status = 'success', duration_seconds, NULL)) AS seconds,
  MAX(IF(status = 'success', gcs_path, NULL)) AS last_file,
  MAX(IF(status = 'success', content_hash, NULL)) AS last_content
))
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) BETWEEN @learned_from AND @start_date
  AND slot_time < @start
  AND status IN ('success', 'no_data')
  AND workflow IS NOT NULL
GROUP BY workflow, scraper_name, slot_time, target_date
UNION ALL
SELECT 'locked_before', TO_JSON_STRING(STRUCT(
  workflow_name AS workflow_name,
  CAST(date AS STRING) AS date,
  COUNT(*) AS runs,
  UNIX_MICROS(MIN(expected_run_time)) AS first,
  MAX(rules) AS rules,
  MAX(calls) AS calls
))
FROM {audit}.v_expected_schedule
WHERE date BETWEEN @record_from AND DATE_SUB(@day, INTERVAL 1 DAY)
GROUP BY workflow_name, date
UNION ALL
SELECT 'twice', TO_JSON_STRING(STRUCT(
  'workflow_decisions' AS written_to,
  workflow_name AS workflow_name,
  UNIX_MICROS(slot_time) AS tick,
  COUNT(*) AS ids
))
FROM (
  -- An append that repeats keeps created_at. Another try of the task has another number.
  SELECT workflow_name, slot_time
  FROM {audit}.workflow_decisions
  WHERE dag_id IS NOT NULL
    AND DATE(decision_time) >= @start_date
    AND slot_time >= @start
    AND slot_time < @until
  GROUP BY decision_id, try_number, workflow_name, slot_time
  HAVING COUNT(DISTINCT created_at) > 1
)
GROUP BY workflow_name, slot_time
UNION ALL
SELECT 'twice', TO_JSON_STRING(STRUCT(
  'scraper_execution_log' AS written_to,
  workflow AS workflow_name,
  UNIX_MICROS(slot_time) AS tick,
  COUNT(*) AS ids
))
FROM (
  -- A row without the service's run id was written for a try that left none. The service's log corrects a failed row.
  SELECT workflow, slot_time
  FROM {audit}.scraper_execution_log
  WHERE dag_id IS NOT NULL
    AND run_id != row_id
    AND status != 'failed'
    AND DATE(triggered_at) >= @start_date
    AND slot_time >= @start
    AND slot_time < @until
  GROUP BY row_id, workflow, slot_time
  HAVING COUNT(DISTINCT run_id) > 1
)
GROUP BY workflow, slot_time
