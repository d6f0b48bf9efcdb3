-- Files of successful calls in the look-back, old enough to have been processed.
-- Parameters: oldest, youngest TIMESTAMP; oldest_date DATE.
SELECT
  scraper_name,
  gcs_path,
  execution_id,
  workflow,
  record_count,
  triggered_at,
  completed_at,
  IFNULL(game_date, target_date) AS game_date
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) >= @oldest_date
  AND triggered_at >= @oldest
  AND completed_at <= @youngest
  AND status = 'success'
  AND gcs_path IS NOT NULL
ORDER BY triggered_at, execution_id
