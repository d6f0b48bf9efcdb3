-- RUN decisions without an execution, half an hour after they were made, as seen at `seen_at` (lesson K10). ET dates of
-- the day that began with the 05:00 ET lock, both included.
CREATE OR REPLACE TABLE FUNCTION nba_orchestration.missing_executions(
  first_date DATE, last_date DATE, seen_at TIMESTAMP
) AS
SELECT
  decided.decision_id AS decision_id,
  decided.workflow_name AS workflow_name,
  decided.slot_time AS slot_time,
  decided.decision_time AS decision_time,
  decided.reason AS reason,
  decided.dag_id AS dag_id,
  decided.run_id AS run_id
FROM nba_orchestration.v_workflow_decisions AS decided
LEFT JOIN (
  SELECT DISTINCT decision_id
  FROM nba_orchestration.v_workflow_executions
  WHERE DATE(execution_time) BETWEEN first_date AND DATE_ADD(last_date, INTERVAL 2 DAY)
) AS executed ON executed.decision_id = decided.decision_id
WHERE DATE(decided.decision_time) BETWEEN first_date AND DATE_ADD(last_date, INTERVAL 2 DAY)
  AND DATE(DATETIME_SUB(DATETIME(decided.slot_time, 'America/New_York'), INTERVAL 5 HOUR))
    BETWEEN first_date AND last_date
  AND decided.action = 'RUN'
  AND IFNULL(decided.triggered_by, '') NOT LIKE 'manual%'
  AND executed.decision_id IS NULL
  AND decided.decision_time <= TIMESTAMP_SUB(seen_at, INTERVAL 30 MINUTE);
