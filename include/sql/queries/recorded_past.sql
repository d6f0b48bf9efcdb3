-- The record of some ticks for a backtest: our decisions, and every version of our executions and calls with the time at which
-- it was made, because the views keep only the last version. Rows of the other system are read as in decision_inputs. The
-- schedule is the present one, because a refresh overwrites the earlier one. Each row is a kind and a JSON object.
-- Parameters: schedule_from, schedule_to DATE; history_from_date, until_date DATE (UTC); history_from, until TIMESTAMP.
SELECT kind, payload
FROM {audit}.known_schedule(@schedule_from, @schedule_to)
UNION ALL
SELECT 'decision', {decision}
FROM {audit}.v_workflow_decisions
WHERE DATE(decision_time) BETWEEN @history_from_date AND DATE_ADD(@until_date, INTERVAL 1 DAY)
  AND slot_time >= @history_from
  AND slot_time < @until
UNION ALL
SELECT 'execution_version', {execution}
FROM {audit}.workflow_executions
WHERE DATE(execution_time) BETWEEN @history_from_date AND DATE_ADD(@until_date, INTERVAL 1 DAY)
  AND dag_id IS NOT NULL
  AND slot_time >= @history_from
  AND slot_time < @until
UNION ALL
SELECT 'call_version', {call}
FROM {audit}.scraper_execution_log
WHERE DATE(triggered_at) BETWEEN @history_from_date AND DATE_ADD(@until_date, INTERVAL 1 DAY)
  AND dag_id IS NOT NULL
  AND slot_time >= @history_from
  AND slot_time < @until
UNION ALL
SELECT 'their_execution', {their_execution}
FROM {history}.workflow_executions
WHERE DATE(execution_time) BETWEEN @history_from_date AND @until_date
  AND execution_time >= @history_from
  AND execution_time < @until
  AND execution_id NOT IN (
    SELECT execution_id
    FROM {audit}.v_workflow_executions
    WHERE DATE(execution_time) BETWEEN @history_from_date AND @until_date
  )
UNION ALL
SELECT 'their_call', {their_call}
FROM {history}.scraper_execution_log
WHERE DATE(triggered_at) BETWEEN @history_from_date AND @until_date
  AND triggered_at >= @history_from
  AND triggered_at < @until
  AND execution_id NOT IN (
    SELECT execution_id
    FROM {audit}.scraper_execution_log
    WHERE DATE(triggered_at) BETWEEN @history_from_date AND @until_date
      AND dag_id IS NOT NULL
  )
