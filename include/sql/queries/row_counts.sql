-- The number of rows in the view of each audit table, over some days. Parameters: first_date, last_date DATE.
SELECT 'daily_expected_schedule' AS name, COUNT(*) AS rows_seen FROM {audit}.v_expected_schedule WHERE date BETWEEN @first_date AND @last_date
UNION ALL
SELECT 'workflow_decisions', COUNT(*) FROM {audit}.v_workflow_decisions WHERE DATE(decision_time) BETWEEN @first_date AND @last_date
UNION ALL
SELECT 'workflow_executions', COUNT(*) FROM {audit}.v_workflow_executions WHERE DATE(execution_time) BETWEEN @first_date AND @last_date
UNION ALL
SELECT 'scraper_execution_log', COUNT(*) FROM {audit}.v_scraper_runs WHERE DATE(triggered_at) BETWEEN @first_date AND @last_date
UNION ALL
SELECT 'cleanup_operations', COUNT(*) FROM {audit}.v_cleanup_operations WHERE DATE(cleanup_time) BETWEEN @first_date AND @last_date
