-- The records of the last 30 whole successes before a moment, for each scraper, kind of item and kind of day, in one row. The days
-- are those of triggered_at in UTC, not ET dates; the first is included. Three answers of a tick are taken before further ones, so that the 30
-- come from several ticks. The games that an answer should have held are -1 if they are unknown.
CREATE OR REPLACE TABLE FUNCTION {audit}.past_answers(first_date DATE, before TIMESTAMP) AS
WITH found AS (
  SELECT
    scraper_name,
    CASE
      WHEN game_id IS NOT NULL THEN 'game'
      WHEN label = scraper_name THEN 'nothing'
      ELSE 'item'
    END AS item,
    games_expected > 0 AS game_day,
    record_count,
    IFNULL(games_expected, -1) AS games,
    slot_time,
    ROW_NUMBER() OVER (PARTITION BY scraper_name, games_expected > 0, slot_time ORDER BY row_id) AS number
  FROM {audit}.v_scraper_runs
  WHERE DATE(triggered_at) BETWEEN first_date AND DATE(before)
    AND slot_time < before
    AND status = 'success'
    AND shortfall IS NULL
    AND record_count IS NOT NULL
),
last_ones AS (
  SELECT *
  FROM found
  WHERE number <= 30
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY scraper_name, item, game_day ORDER BY CEIL(number / 3), slot_time DESC, number
  ) <= 30
)
SELECT scraper_name, item, game_day, ARRAY_AGG(record_count) AS counts, ARRAY_AGG(games) AS games
FROM last_ones
GROUP BY scraper_name, item, game_day;
