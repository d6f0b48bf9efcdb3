-- RUN decisions without an execution.
-- Parameters: first_date, last_date DATE (ET, from lock to lock); seen_at TIMESTAMP.
SELECT workflow_name, slot_time, decision_time, reason, dag_id, run_id
FROM {audit}.missing_executions(@first_date, @last_date, @seen_at)
ORDER BY slot_time, workflow_name
