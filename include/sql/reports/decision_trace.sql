-- From each decision to its execution to every try of its calls; one row per try, or one per decision without calls.
-- ET dates of the day that began with the 05:00 ET lock, both included.
CREATE OR REPLACE TABLE FUNCTION nba_orchestration.decision_trace(first_date DATE, last_date DATE) AS
SELECT
  decided.workflow_name AS workflow_name,
  decided.slot_time AS slot_time,
  decided.action AS action,
  decided.reason AS reason,
  decided.target_date AS target_date,
  decided.triggered_by AS triggered_by,
  executed.status AS execution_status,
  executed.error_message AS execution_error,
  called.label AS label,
  called.try_number AS try_number,
  called.status AS call_status,
  called.record_count AS record_count,
  called.triggered_at AS triggered_at,
  called.duration_seconds AS duration_seconds,
  called.error_type AS error_type,
  called.error_message AS error_message,
  called.gcs_path AS gcs_path,
  decided.decision_id AS decision_id,
  executed.execution_id AS execution_id,
  called.execution_id AS call_id
FROM nba_orchestration.v_workflow_decisions AS decided
LEFT JOIN (
  SELECT decision_id, execution_id, status, error_message
  FROM nba_orchestration.v_workflow_executions
  WHERE DATE(execution_time) BETWEEN first_date AND DATE_ADD(last_date, INTERVAL 2 DAY)
) AS executed ON executed.decision_id = decided.decision_id
LEFT JOIN (
  SELECT decision_id, execution_id, label, try_number, status, record_count, triggered_at, duration_seconds,
    error_type, error_message, gcs_path
  FROM nba_orchestration.v_scraper_runs
  WHERE DATE(triggered_at) BETWEEN first_date AND DATE_ADD(last_date, INTERVAL 2 DAY)
) AS called ON called.decision_id = decided.decision_id
WHERE DATE(decided.decision_time) BETWEEN first_date AND DATE_ADD(last_date, INTERVAL 2 DAY)
  AND DATE(DATETIME_SUB(DATETIME(decided.slot_time, 'America/New_York'), INTERVAL 5 HOUR))
    BETWEEN first_date AND last_date;
