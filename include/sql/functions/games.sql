-- The games of some ET dates, both included, one row for each id. The newest row of an id in the whole season decides the
-- date of the game, because Phase 2 merges on id and date and leaves the old row of a moved game behind. If rows have the same
-- `processed_at`, a row with status 1, 2 or 3 wins. Among the rows of the decided date, a row of api_stats wins over a row of
-- cdn_static, then the newest row wins. Earlier states cannot be read, because a refresh overwrites `processed_at` too.
-- `due_at` is the moment from which the data of the game counts: 3.5 h after the tip. It is 06:00 ET of the next day if the
-- tip is unknown, at 00:00 ET, or not on the date of the game. The engine has the same rule, and a test compares the two.
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
    -- Each row without an id is a game of its own.
    PARTITION BY game_id, IF(game_id IS NULL, game_code, NULL)
    ORDER BY
      processed_at DESC, IF(game_status IN (1, 2, 3), 0, 1), IF(data_source = 'api_stats', 0, 1), game_date DESC
  ) AS its_date
  FROM season
)
SELECT
  game_id, game_code, game_date, game_date_est, game_status, game_status_text, home_team_tricode, away_team_tricode,
  processed_at,
  IF(
    CASE
      WHEN game_date_est IS NULL THEN FALSE
      -- Some systems write the year 1, which has no ET time. CASE evaluates its conditions in order. OR may not.
      WHEN ABS(DATE_DIFF(DATE(game_date_est), game_date, DAY)) > 1 THEN FALSE
      ELSE TIME(DATETIME(game_date_est, 'America/New_York')) != TIME '00:00:00'
        AND game_date IN (
          DATE(game_date_est, 'America/New_York'),
          DATE(DATETIME_SUB(DATETIME(game_date_est, 'America/New_York'), INTERVAL 6 HOUR))
        )
    END,
    TIMESTAMP_ADD(game_date_est, INTERVAL 210 MINUTE),
    TIMESTAMP(DATETIME(DATE_ADD(game_date, INTERVAL 1 DAY), TIME '06:00:00'), 'America/New_York')
  ) AS due_at
FROM dated
WHERE game_date = its_date AND game_date BETWEEN first_date AND last_date
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY game_id, IF(game_id IS NULL, game_code, NULL)
  ORDER BY IF(data_source = 'api_stats', 0, 1), processed_at DESC
) = 1;
