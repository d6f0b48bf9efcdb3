-- The columns of a game that every reader gets, from the schedule.
TO_JSON_STRING(STRUCT(
  game_id AS game_id,
  game_code AS code,
  CAST(game_date AS STRING) AS date,
  UNIX_MICROS(game_date_est) AS tip,
  home_team_tricode AS home,
  away_team_tricode AS away,
  game_status AS status,
  game_status_text AS status_text,
  UNIX_MICROS(processed_at) AS processed_at
))
