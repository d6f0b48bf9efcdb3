-- All that one decision needs, in one round trip: the schedule around the target date, when it was last refreshed, and
-- the history of the workflow and of those it requires. Each row is a kind and a JSON object.
-- What the system before ours did counts as far as its rows say surely what it was. Its decisions do not: they name no rule.
-- Parameters: schedule_from, schedule_to DATE; history_from_date, tick_date DATE (UTC); history_from, tick TIMESTAMP;
-- workflows, others_workflows, scrapers ARRAY<STRING>.
SELECT kind, payload
FROM {audit}.known_schedule(@schedule_from, @schedule_to)
UNION ALL
SELECT 'execution', TO_JSON_STRING(STRUCT(
  workflow_name AS workflow,
  UNIX_SECONDS(slot_time) AS tick,
  CAST(target_date AS STRING) AS target_date,
  status AS status,
  scrapers_succeeded - COALESCE(scrapers_no_data, 0) AS with_records
))
FROM {audit}.v_workflow_executions
WHERE DATE(execution_time) >= @history_from_date
  AND slot_time >= @history_from
  AND slot_time < @tick
  AND workflow_name IN UNNEST(@workflows)
UNION ALL
SELECT 'execution', TO_JSON_STRING(STRUCT(
  workflow_name AS workflow,
  UNIX_SECONDS(execution_time) AS tick,
  CAST(target_date AS STRING) AS target_date,
  'completed' AS status,
  with_records AS with_records
))
FROM {audit}.others_executions(@history_from_date, @tick_date)
WHERE execution_time >= @history_from
  AND execution_time < @tick
  AND workflow_name IN UNNEST(@others_workflows)
UNION ALL
SELECT 'call', TO_JSON_STRING(STRUCT(
  scraper_name AS scraper,
  UNIX_SECONDS(slot_time) AS tick,
  CAST(target_date AS STRING) AS target_date,
  status AS outcome,
  game_id AS game_id,
  CAST(NULL AS STRING) AS game_code
))
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) >= @history_from_date
  AND slot_time >= @history_from
  AND slot_time < @tick
  AND scraper_name IN UNNEST(@scrapers)
UNION ALL
SELECT 'call', TO_JSON_STRING(STRUCT(
  scraper_name AS scraper,
  UNIX_SECONDS(triggered_at) AS tick,
  CAST(target_date AS STRING) AS target_date,
  'success' AS outcome,
  game_id AS game_id,
  game_code AS game_code
))
FROM {audit}.others_calls(@history_from_date, @tick_date)
WHERE triggered_at >= @history_from
  AND triggered_at < @tick
  AND scraper_name IN UNNEST(@scrapers)
UNION ALL
SELECT 'decision', TO_JSON_STRING(STRUCT(
  workflow_name AS workflow,
  UNIX_SECONDS(slot_time) AS tick,
  CAST(target_date AS STRING) AS target_date,
  action AS action,
  rule AS rule
))
FROM {audit}.v_workflow_decisions
WHERE DATE(decision_time) >= @history_from_date
  AND slot_time >= @history_from
  AND slot_time < @tick
  AND workflow_name IN UNNEST(@workflows)
