-- Which scraper has brought which game of a span of days, or a whole date of it, at which tick and in which file. What
-- others brought counts as well; whether their file is still there is theirs to know.
-- Parameters: first_date, last_date DATE (ET, of the games); seen_date DATE (UTC); scrapers ARRAY<STRING>.
SELECT
  scraper_name, game_id, CAST(NULL AS STRING) AS game_code, gcs_path, execution_id, workflow, record_count, triggered_at,
  game_date, slot_time
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) >= @first_date
  AND game_date BETWEEN @first_date AND @last_date
  AND status = 'success'
  AND scraper_name IN UNNEST(@scrapers)
UNION ALL
SELECT
  scraper_name, game_id, game_code, CAST(NULL AS STRING), execution_id, CAST(NULL AS STRING), CAST(NULL AS INT64),
  triggered_at, target_date, triggered_at
FROM {audit}.others_calls(@first_date, @seen_date)
WHERE target_date BETWEEN @first_date AND @last_date
  AND scraper_name IN UNNEST(@scrapers)
