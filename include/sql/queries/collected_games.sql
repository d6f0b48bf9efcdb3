-- Which scraper has brought which game of a span of days, or a whole date of it, at which tick and in which file.
-- Parameters: first_date, last_date DATE (ET, of the games).
SELECT scraper_name, game_id, gcs_path, execution_id, workflow, record_count, triggered_at, game_date, slot_time
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) >= @first_date
  AND game_date BETWEEN @first_date AND @last_date
  AND status = 'success'
