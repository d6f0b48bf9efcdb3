-- Our tries of calls in the look-back.
-- Parameters: oldest TIMESTAMP; oldest_date DATE.
SELECT *
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) >= @oldest_date
  AND triggered_at >= @oldest
ORDER BY triggered_at, row_id
