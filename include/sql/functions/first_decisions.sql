-- The first decision of each workflow in some days: its tick, and when it was made. The days are those of decision_time in
-- UTC, not ET dates. Both dates are included.
CREATE OR REPLACE TABLE FUNCTION {audit}.first_decisions(first_date DATE, last_date DATE) AS
SELECT workflow_name, MIN(slot_time) AS tick, MIN(decision_time) AS decided_at
FROM {audit}.v_workflow_decisions
WHERE DATE(decision_time) BETWEEN first_date AND last_date
GROUP BY workflow_name;
