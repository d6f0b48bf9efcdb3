-- The schedule for a decision and for the health check: the games of some ET dates, both included, and the last refresh of
-- any row of the season, so that the schedule is not unknown in the off-season. Each row is a kind and a JSON object.
CREATE OR REPLACE TABLE FUNCTION {audit}.known_schedule(first_date DATE, last_date DATE) AS
SELECT 'game' AS kind, TO_JSON_STRING(STRUCT(
  game_id AS game_id,
  game_code AS code,
  CAST(game_date AS STRING) AS date,
  UNIX_MICROS(game_date_est) AS tip,
  home_team_tricode AS home,
  away_team_tricode AS away,
  game_status AS status,
  game_status_text AS status_text,
  UNIX_MICROS(processed_at) AS processed_at
)) AS payload
FROM {audit}.games(first_date, last_date)
UNION ALL
SELECT 'refreshed', TO_JSON_STRING(STRUCT(UNIX_MICROS(MAX(processed_at)) AS refreshed_at))
FROM {schedule_table}
WHERE game_date BETWEEN DATE_SUB(first_date, INTERVAL 200 DAY) AND DATE_ADD(last_date, INTERVAL 200 DAY);
