-- The games that each scraper has collected: one row for each game and each scraper that was called for single games in
-- the period. A call at a tick before the game was due does not count. ET dates of the games, both included.
CREATE OR REPLACE TABLE FUNCTION {audit}.game_completeness(first_date DATE, last_date DATE) AS
WITH called AS (
  SELECT scraper_name, game_id, status, record_count, triggered_at, slot_time
  FROM {audit}.v_scraper_runs
  WHERE DATE(triggered_at) BETWEEN first_date AND DATE_ADD(last_date, INTERVAL 8 DAY)
    AND game_id IS NOT NULL
),
scrapers AS (
  SELECT DISTINCT scraper_name FROM called
)
SELECT
  games.game_date AS date,
  games.game_id AS game_id,
  ANY_VALUE(games.game_code) AS game_code,
  ANY_VALUE(games.game_date_est) AS tip,
  scrapers.scraper_name AS scraper_name,
  COUNTIF(called.status = 'success' AND called.slot_time >= games.due_at) > 0 AS collected,
  COUNT(called.status) AS tries,
  MIN(IF(called.status = 'success' AND called.slot_time >= games.due_at, called.triggered_at, NULL)) AS collected_at,
  MAX(called.record_count) AS record_count
FROM {audit}.games(first_date, last_date) AS games
CROSS JOIN scrapers
LEFT JOIN called ON called.game_id = games.game_id AND called.scraper_name = scrapers.scraper_name
GROUP BY games.game_date, games.game_id, scrapers.scraper_name;
