-- Successful calls about the games of some days, with tick and file. The calls of the other system count too, because that
-- system is responsible for its own files. Each row is a kind and a JSON object.
-- Parameters: first_date, last_date DATE (ET, of the games); seen_date DATE (UTC); scrapers ARRAY<STRING>.
SELECT 'call' AS kind, {call} AS payload
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
