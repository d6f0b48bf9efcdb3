-- The state of each expected run as of `seen_at`: ON_TIME; LATE, if it began over 15 minutes after its tick or at a later
-- tick of its day; SKIPPED, with the reason of the decision, also for each run of a shadow; MISSING; NOT_DUE. ET dates, both
-- included.
CREATE OR REPLACE TABLE FUNCTION {audit}.expected_against_actual(
  first_date DATE, last_date DATE, seen_at TIMESTAMP
) AS
WITH expected AS (
  SELECT date, workflow_name, expected_run_time, priority
  FROM {audit}.v_expected_schedule
  WHERE date BETWEEN first_date AND last_date
),
decided AS (
  SELECT
    decision_id, workflow_name, slot_time, action, reason,
    IFNULL(JSON_VALUE(context, '$.mode'), 'live') = 'shadow' AS shadow
  FROM {audit}.days_decisions(first_date, last_date)
  WHERE decision_time <= seen_at
),
executed AS (
  SELECT decision_id, workflow_name, slot_time, its_day, execution_time, status
  FROM {audit}.days_executions(first_date, last_date)
  WHERE execution_time <= seen_at
),
later AS (
  SELECT expected.workflow_name, expected.expected_run_time, MIN(executed.execution_time) AS execution_time
  FROM expected
  JOIN executed
    ON executed.workflow_name = expected.workflow_name
    AND executed.slot_time > expected.expected_run_time
    AND executed.its_day = expected.date
  GROUP BY expected.workflow_name, expected.expected_run_time
)
SELECT
  expected.date AS date,
  expected.workflow_name AS workflow_name,
  expected.expected_run_time AS expected_run_time,
  expected.priority AS priority,
  CASE
    WHEN executed.execution_time <= TIMESTAMP_ADD(expected.expected_run_time, INTERVAL 15 MINUTE) THEN 'ON_TIME'
    WHEN executed.execution_time IS NOT NULL THEN 'LATE'
    WHEN decided.action = 'SKIP' OR decided.shadow THEN 'SKIPPED'
    WHEN later.execution_time IS NOT NULL THEN 'LATE'
    WHEN decided.action = 'ABORT' THEN 'MISSING'
    WHEN TIMESTAMP_ADD(expected.expected_run_time, INTERVAL 15 MINUTE) > seen_at THEN 'NOT_DUE'
    ELSE 'MISSING'
  END AS state,
  decided.action AS action,
  decided.reason AS reason,
  COALESCE(executed.execution_time, later.execution_time) AS execution_time,
  executed.status AS status
FROM expected
LEFT JOIN decided
  ON decided.workflow_name = expected.workflow_name AND decided.slot_time = expected.expected_run_time
LEFT JOIN executed ON executed.decision_id = decided.decision_id
LEFT JOIN later
  ON later.workflow_name = expected.workflow_name AND later.expected_run_time = expected.expected_run_time;
