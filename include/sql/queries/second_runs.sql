-- The runs in the scraper service's log since a moment, and our calls. Each row is a kind and a JSON object.
-- Parameters: oldest TIMESTAMP; first_date, last_date DATE (UTC).
SELECT 'logged' AS kind, TO_JSON_STRING(STRUCT(
  execution_id AS execution_id,
  scraper_name AS scraper_name,
  UNIX_MICROS(triggered_at) AS triggered_at,
  TO_JSON_STRING(opts) AS opts
)) AS payload
FROM {service_log}
WHERE DATE(triggered_at) BETWEEN @first_date AND @last_date
  AND triggered_at >= @oldest
  AND {not_ours}
UNION ALL
SELECT 'call', TO_JSON_STRING(STRUCT(
  row_id AS row_id,
  run_id AS run_id,
  scraper_name AS scraper_name,
  UNIX_MICROS(triggered_at) AS triggered_at,
  triggered_by AS triggered_by
))
FROM {audit}.v_scraper_runs
WHERE DATE(triggered_at) BETWEEN @first_date AND @last_date
  AND triggered_at >= @oldest
