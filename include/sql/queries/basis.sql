-- What a report of these days rests on: how many runs were locked, and how many decisions were made.
-- Parameters: first_date, last_date DATE (ET, from lock to lock).
SELECT
  SUM(expected_runs) AS expected,
  SUM(runs) AS runs,
  SUM(runs + skips + aborts) AS decisions
FROM {audit}.day_summary(@first_date, @last_date)
