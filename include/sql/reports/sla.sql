-- One row for each day: the executions, the missed deadlines, and how fast the scraper `box_score` collected the games. Times
-- are minutes from the end of a game to its collection. No table holds the end of a game, so a game is taken to end
-- `game_minutes` after its tip. A game without a known tip is counted, but has no time. ET dates of days from lock to lock,
-- both included.
CREATE OR REPLACE TABLE FUNCTION {audit}.sla(
  first_date DATE, last_date DATE, box_score STRING, game_minutes INT64
) AS
WITH executed AS (
  SELECT its_day, COUNT(*) AS executions, COUNTIF(deadline_missed) AS deadlines_missed
  FROM {audit}.days_executions(first_date, last_date)
  GROUP BY its_day
),
brought AS (
  SELECT game_id, collected_at
  FROM {audit}.game_completeness(first_date, last_date)
  WHERE scraper_name = box_score AND collected
),
timed AS (
  SELECT
    games.game_date AS its_day,
    games.game_code AS game_code,
    brought.collected_at AS collected_at,
    IF(
      games.due_at = TIMESTAMP_ADD(games.game_date_est, INTERVAL 210 MINUTE),
      TIMESTAMP_DIFF(brought.collected_at, TIMESTAMP_ADD(games.game_date_est, INTERVAL game_minutes MINUTE), MINUTE),
      NULL
    ) AS minutes
  FROM {audit}.games(first_date, last_date) AS games
  LEFT JOIN brought ON brought.game_id = games.game_id
),
collected AS (
  SELECT
    its_day,
    COUNT(*) AS games,
    COUNT(collected_at) AS collected,
    ANY_VALUE(median_minutes) AS median_minutes,
    MAX(minutes) AS slowest_minutes,
    ARRAY_AGG(game_code ORDER BY minutes DESC LIMIT 1)[OFFSET(0)] AS slowest_game
  FROM (SELECT *, PERCENTILE_CONT(minutes, 0.5) OVER (PARTITION BY its_day) AS median_minutes FROM timed)
  GROUP BY its_day
)
SELECT
  day AS date,
  IFNULL(executed.executions, 0) AS executions,
  IFNULL(executed.deadlines_missed, 0) AS deadlines_missed,
  ROUND(1 - executed.deadlines_missed / executed.executions, 4) AS deadlines_met,
  IFNULL(collected.games, 0) AS games,
  IFNULL(collected.collected, 0) AS collected,
  collected.median_minutes AS median_minutes,
  collected.slowest_minutes AS slowest_minutes,
  IF(collected.slowest_minutes IS NULL, NULL, collected.slowest_game) AS slowest_game
FROM UNNEST(GENERATE_DATE_ARRAY(first_date, last_date)) AS day
LEFT JOIN executed ON executed.its_day = day
LEFT JOIN collected ON collected.its_day = day;
