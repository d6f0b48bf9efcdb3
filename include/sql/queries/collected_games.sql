-- Which scraper has brought which game of a span of days, or a whole date of it, at which tick and in which file; and the
-- calls of the system beside or before ours, which count as well: whether their file is still there is theirs to know.
-- Each row is a kind and a JSON object.
-- Parameters: first_date, last_date DATE (ET, of the games); seen_date DATE (UTC); scrapers ARRAY<STRING>.
SELECT 'call' AS kind, TO_JSON_STRING(STRUCT(
  scraper_name AS scraper_name,
  game_id AS game_id,
  gcs_path AS gcs_path,
  execution_id AS execution_id,
  workflow AS workflow,
  record_count AS record_count,
  UNIX_SECONDS(triggered_at) AS at_second,
  CAST(game_date AS STRING) AS game_date,
  UNIX_SECONDS(slot_time) AS tick
)) AS payload
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) BETWEEN @first_date AND @seen_date
  AND game_date BETWEEN @first_date AND @last_date
  AND status = 'success'
  AND scraper_name IN UNNEST(@scrapers)
UNION ALL
SELECT 'their_call', {their_call}
FROM {history}.scraper_execution_log
WHERE DATE(triggered_at) BETWEEN @first_date AND @seen_date
  AND execution_id NOT IN (
    SELECT execution_id
    FROM {audit}.v_scraper_runs
    WHERE DATE(triggered_at) BETWEEN @first_date AND @seen_date
  )
