-- Executions of days from lock to lock, each row with its day. ET dates, both included. Two more UTC days are read for the end of
-- the last night and for late rows.
CREATE OR REPLACE TABLE FUNCTION {audit}.days_executions(first_date DATE, last_date DATE) AS
SELECT *, {audit}.day_of(slot_time) AS its_day
FROM {audit}.v_workflow_executions
WHERE DATE(execution_time) BETWEEN first_date AND DATE_ADD(last_date, INTERVAL 2 DAY)
  AND {audit}.day_of(slot_time) BETWEEN first_date AND last_date;
