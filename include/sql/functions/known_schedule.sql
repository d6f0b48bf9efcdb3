-- The schedule for a decision and for the health check: the games of some ET dates, both included, and the last refresh of
-- any row of the season, so that the schedule is not unknown in the off-season. Also the slates that the locks of these dates
-- kept, and the rows of their games on other dates of the season. Each row is a kind and a JSON object.
CREATE OR REPLACE TABLE FUNCTION {audit}.known_schedule(first_date DATE, last_date DATE) AS
SELECT 'game' AS kind, {game} AS payload
FROM {audit}.games(first_date, last_date)
UNION ALL
SELECT 'refreshed', TO_JSON_STRING(STRUCT(UNIX_MICROS(MAX(processed_at)) AS refreshed_at))
FROM {schedule_table}
WHERE game_date BETWEEN DATE_SUB(first_date, INTERVAL 200 DAY) AND DATE_ADD(last_date, INTERVAL 200 DAY)
UNION ALL
SELECT 'locked', payload
FROM (
  SELECT
    TO_JSON_STRING(STRUCT(
      CAST(date AS STRING) AS date,
      UNIX_MICROS(locked_at) AS locked_at,
      CAST(target_date AS STRING) AS target_date,
      games_today AS games_today,
      ARRAY(SELECT AS STRUCT game.game_id, game.code, UNIX_MICROS(game.tip) AS tip FROM UNNEST(slate) AS game) AS slate
    )) AS payload
  FROM {audit}.v_expected_schedule
  WHERE date BETWEEN first_date AND last_date
  -- One row for each lock. A row about the date itself also says how many games it has.
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY date
    ORDER BY IF(target_date = date, 0, 1), games_today DESC, expected_run_time, workflow_name
  ) = 1
)
UNION ALL
SELECT 'elsewhere', {game}
FROM {schedule_table}
WHERE game_date BETWEEN DATE_SUB(first_date, INTERVAL 200 DAY) AND DATE_ADD(last_date, INTERVAL 200 DAY)
  AND NOT game_date BETWEEN first_date AND last_date
  AND LPAD(CAST(game_id AS STRING), 10, '0') IN (
    SELECT game.game_id
    FROM {audit}.v_expected_schedule, UNNEST(slate) AS game
    WHERE date BETWEEN first_date AND last_date
  );
