-- Each decision with its execution and every try of its calls: one row for each try, or one for a decision without calls.
-- ET dates of days from lock to lock, both included.
CREATE OR REPLACE TABLE FUNCTION {audit}.decision_trace(first_date DATE, last_date DATE) AS
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
FROM {audit}.days_decisions(first_date, last_date) AS decided
LEFT JOIN {audit}.days_executions(first_date, last_date) AS executed ON executed.decision_id = decided.decision_id
LEFT JOIN {audit}.days_calls(first_date, last_date) AS called ON called.decision_id = decided.decision_id;
