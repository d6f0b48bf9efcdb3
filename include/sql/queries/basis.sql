-- The number of locked runs and of decisions behind a report.
-- Parameters: first_date, last_date DATE (ET, from lock to lock).
SELECT
  SUM(expected_runs) AS expected,
  SUM(runs) AS runs,
  SUM(runs + skips + aborts) AS decisions
FROM {audit}.day_summary(@first_date, @last_date)
