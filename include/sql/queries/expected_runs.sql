-- The state of each expected run.
-- Parameters: first_date, last_date DATE (ET, from lock to lock); seen_at TIMESTAMP.
SELECT workflow_name, expected_run_time, state, action, reason, execution_time, status
FROM {audit}.expected_against_actual(@first_date, @last_date, @seen_at)
ORDER BY expected_run_time, workflow_name
