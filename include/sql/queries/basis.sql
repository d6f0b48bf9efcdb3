-- The number of decisions behind a report.
-- Parameters: first_date, last_date DATE (ET, from lock to lock).
SELECT SUM(runs + skips + aborts) AS decisions
FROM {audit}.day_summary(@first_date, @last_date)
