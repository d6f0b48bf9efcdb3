-- RUN decisions that have no execution half an hour after the decision, as of `seen_at` (lesson K10). Decisions of a shadow
-- do not count. ET dates of days from lock to lock, both included.
CREATE OR REPLACE TABLE FUNCTION {audit}.missing_executions(
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
FROM {audit}.days_decisions(first_date, last_date) AS decided
LEFT JOIN {audit}.days_executions(first_date, last_date) AS executed ON executed.decision_id = decided.decision_id
WHERE decided.action = 'RUN'
  AND IFNULL(decided.triggered_by, '') NOT LIKE 'manual%'
  AND IFNULL(JSON_VALUE(decided.context, '$.mode'), 'live') != 'shadow'
  AND executed.decision_id IS NULL
  AND decided.decision_time <= TIMESTAMP_SUB(seen_at, INTERVAL 30 MINUTE);
