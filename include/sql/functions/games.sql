-- The games of a span of ET dates, both included, one row per id. Its newest row says on which date it is played, wherever
-- in the season that lies: a game that was moved leaves its old row behind (Phase 2 merges on id and date). Of the rows of
-- that date api_stats goes before cdn_static, then the newest. What was known at an earlier moment cannot be asked for:
-- a refresh overwrites processed_at too.
-- due: when its data can be expected, 3.5 h after its tip. A tip at midnight ET or outside the slate of its date is not
-- known; then it is the end of the slate, 06:00 ET (nba/games.py says the same).
CREATE OR REPLACE TABLE FUNCTION {audit}.games(first_date DATE, last_date DATE) AS
WITH season AS (
  SELECT
    IF(LENGTH(CAST(game_id AS STRING)) < 10, LPAD(CAST(game_id AS STRING), 10, '0'), CAST(game_id AS STRING)) AS game_id,
    game_code, game_date, game_date_est, game_status, game_status_text, home_team_tricode, away_team_tricode,
    data_source, processed_at
  FROM {schedule_table}
  WHERE game_date BETWEEN DATE_SUB(first_date, INTERVAL 200 DAY) AND DATE_ADD(last_date, INTERVAL 200 DAY)
),
dated AS (
  SELECT *, FIRST_VALUE(game_date) OVER (
    -- Rows without an id are games of their own.
    PARTITION BY game_id, IF(game_id IS NULL, game_code, NULL)
    ORDER BY processed_at DESC, IF(data_source = 'api_stats', 0, 1), game_date DESC
  ) AS its_date
  FROM season
)
SELECT
  game_id, game_code, game_date, game_date_est, game_status, game_status_text, home_team_tricode, away_team_tricode,
  processed_at,
  IF(
    DATETIME(game_date_est, 'America/New_York') != DATETIME_TRUNC(DATETIME(game_date_est, 'America/New_York'), DAY)
    AND game_date IN (
      DATE(game_date_est, 'America/New_York'),
      DATE(DATETIME_SUB(DATETIME(game_date_est, 'America/New_York'), INTERVAL 360 MINUTE))
    ),
    TIMESTAMP_ADD(game_date_est, INTERVAL 210 MINUTE),
    TIMESTAMP(DATETIME_ADD(DATETIME(game_date), INTERVAL 1800 MINUTE), 'America/New_York')
  ) AS due
FROM dated
WHERE game_date = its_date AND game_date BETWEEN first_date AND last_date
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY game_id, IF(game_id IS NULL, game_code, NULL)
  ORDER BY IF(data_source = 'api_stats', 0, 1), processed_at DESC
) = 1;
