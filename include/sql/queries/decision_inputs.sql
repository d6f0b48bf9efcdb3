-- All inputs of one decision, in one round trip: the schedule around the target date, its last refresh, and the history of
-- the workflow and of the workflows that it requires. Each row is a kind and a JSON object.
-- Executions and calls of the other system count if orchestration.planning.other_system finds their rows certain.
-- The other system's decisions do not count, because they name no rule. The service also logs our own calls. These rows have
-- our ids and are left out.
-- Parameters: schedule_from, schedule_to DATE; history_from_date, tick_date, answers_from_date DATE (UTC); history_from, tick
-- TIMESTAMP; workflows, scrapers ARRAY<STRING>.
SELECT kind, payload
FROM {audit}.known_schedule(@schedule_from, @schedule_to)
UNION ALL
SELECT 'execution', {execution}
FROM {audit}.v_workflow_executions
WHERE DATE(execution_time) >= @history_from_date
  AND slot_time >= @history_from
  AND slot_time < @tick
  AND workflow_name IN UNNEST(@workflows)
UNION ALL
SELECT 'their_execution', {their_execution}
FROM {history}.workflow_executions
WHERE DATE(execution_time) BETWEEN @history_from_date AND @tick_date
  AND execution_time >= @history_from
  AND execution_time < @tick
  AND workflow_name IN UNNEST(@workflows)
  AND execution_id NOT IN (
    SELECT execution_id
    FROM {audit}.v_workflow_executions
    WHERE DATE(execution_time) BETWEEN @history_from_date AND @tick_date
  )
UNION ALL
SELECT 'call', {call}
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) >= @history_from_date
  AND slot_time >= @history_from
  AND slot_time < @tick
  AND scraper_name IN UNNEST(@scrapers)
UNION ALL
SELECT 'their_call', {their_call}
FROM {history}.scraper_execution_log
WHERE DATE(triggered_at) BETWEEN @history_from_date AND @tick_date
  AND triggered_at >= @history_from
  AND triggered_at < @tick
  AND execution_id NOT IN (
    SELECT execution_id
    FROM {audit}.scraper_execution_log
    WHERE DATE(triggered_at) BETWEEN @history_from_date AND @tick_date
      AND dag_id IS NOT NULL
  )
UNION ALL
SELECT 'decision', {decision}
FROM {audit}.v_workflow_decisions
WHERE DATE(decision_time) >= @history_from_date
  AND slot_time >= @history_from
  AND slot_time < @tick
  AND workflow_name IN UNNEST(@workflows)
UNION ALL
SELECT 'past_answers', TO_JSON_STRING(STRUCT(
  scraper_name AS scraper_name,
  item AS item,
  game_day AS game_day,
  counts AS counts,
  games AS games
))
FROM {audit}.past_answers(@answers_from_date, @tick)
WHERE scraper_name IN UNNEST(@scrapers)
