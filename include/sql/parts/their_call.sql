-- What we read of a call in the log of the system beside or before ours.
TO_JSON_STRING(STRUCT(
  execution_id AS execution_id,
  scraper_name AS scraper,
  workflow AS workflow,
  UNIX_SECONDS(triggered_at) AS at_second,
  CAST(game_date AS STRING) AS game_date,
  status AS status,
  opts AS opts,
  data_summary AS summary
))
