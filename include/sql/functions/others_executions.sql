-- Executions that were not made by this system and surely are what we call completed: no call failed, at least one
-- brought data (as its own row says), and all that did are about one date, which is then the execution's. What is not
-- certain is left out, and fetched once more. ET dates of the calls, both included.
CREATE OR REPLACE TABLE FUNCTION {audit}.others_executions(first_date DATE, last_date DATE) AS
SELECT
  execution.execution_id AS execution_id,
  ANY_VALUE(execution.workflow_name) AS workflow_name,
  MIN(execution.execution_time) AS execution_time,
  MIN(call.target_date) AS target_date,
  COUNT(DISTINCT call.execution_id) AS with_records
FROM {audit}.workflow_executions AS execution
CROSS JOIN UNNEST(execution.scraper_execution_ids) AS call_id
JOIN {audit}.others_calls(first_date, last_date) AS call ON call.execution_id = call_id
WHERE DATE(execution.execution_time) BETWEEN first_date AND last_date
  AND execution.dag_id IS NULL
  AND execution.status = 'completed'
  AND execution.scrapers_failed = 0
GROUP BY execution.execution_id
HAVING MIN(call.target_date) = MAX(call.target_date);
