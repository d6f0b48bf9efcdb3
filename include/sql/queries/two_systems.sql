-- The decisions, executions and calls of another system in a span of time, and our decisions. Each row is a kind and a JSON
-- object. Only the old columns of the other system are read, and our own rows in its dataset are left out. The dataset comes
-- from the command line (letters, digits and underscores only) through orchestration.audit.statements.
-- Parameters: start, until TIMESTAMP; start_date, until_date DATE (UTC); first_date, last_date DATE (ET, of the games).
SELECT 'game' AS kind, TO_JSON_STRING(STRUCT(game_id AS game_id, game_code AS game_code)) AS payload
FROM {audit}.games(@first_date, @last_date)
UNION ALL
SELECT 'decision', {decision}
FROM {audit}.v_workflow_decisions
WHERE DATE(decision_time) BETWEEN @start_date AND DATE_ADD(@until_date, INTERVAL 1 DAY)
  AND slot_time >= @start
  AND slot_time < @until
  AND IFNULL(triggered_by, '') NOT LIKE 'manual%'
  AND IFNULL(triggered_by, '') != 'reconcile'
UNION ALL
SELECT 'their_decision', TO_JSON_STRING(STRUCT(
  decision_id AS decision_id,
  workflow_name AS workflow_name,
  UNIX_MICROS(decision_time) AS decision_time,
  action AS action,
  reason AS reason
))
FROM {dataset}.workflow_decisions
WHERE DATE(decision_time) BETWEEN @start_date AND @until_date
  AND decision_time >= @start
  AND decision_time < @until
  AND decision_id NOT IN (
    SELECT decision_id
    FROM {audit}.v_workflow_decisions
    WHERE DATE(decision_time) BETWEEN @start_date AND @until_date
  )
UNION ALL
SELECT 'their_execution', {their_execution}
FROM {dataset}.workflow_executions
WHERE DATE(execution_time) BETWEEN @start_date AND @until_date
  AND execution_time >= @start
  AND execution_time < @until
  AND execution_id NOT IN (
    SELECT execution_id
    FROM {audit}.v_workflow_executions
    WHERE DATE(execution_time) BETWEEN @start_date AND @until_date
  )
UNION ALL
SELECT 'their_call', {their_call}
FROM {dataset}.scraper_execution_log
WHERE DATE(triggered_at) BETWEEN @start_date AND DATE_ADD(@until_date, INTERVAL 1 DAY)
  AND triggered_at >= @start
  AND execution_id NOT IN (
    SELECT execution_id
    FROM {audit}.scraper_execution_log
    WHERE DATE(triggered_at) BETWEEN @start_date AND DATE_ADD(@until_date, INTERVAL 1 DAY)
      AND dag_id IS NOT NULL
  )
