-- The columns that we read of a call in the log of the other system.
TO_JSON_STRING(STRUCT(
  execution_id AS execution_id,
  scraper_name AS scraper_name,
  workflow AS workflow,
  CAST(game_date AS STRING) AS game_date,
  status AS status,
  UNIX_MICROS(triggered_at) AS triggered_at,
  opts AS opts,
  data_summary AS data_summary
))
