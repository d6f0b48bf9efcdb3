-- The ticks of a day that have a decision. The lock counts as a tick of schedule_locker.
-- Parameters: day DATE (ET, of the lock); start, until TIMESTAMP; start_date DATE (UTC).
SELECT workflow_name, slot_time
FROM {audit}.v_workflow_decisions
WHERE DATE(decision_time) >= @start_date
  AND slot_time >= @start
  AND slot_time < @until
UNION ALL
SELECT DISTINCT 'schedule_locker', @start
FROM {audit}.v_expected_schedule
WHERE date = @day
