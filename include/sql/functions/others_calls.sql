-- Calls that brought data and were not made by this system: rows of the one that was there before, and of people. They
-- are history. The service's rows of our own calls are left out. Only `success` counts, since its older state calls nearly
-- everything else `no_data`. The data's date is the row's, else that of its parameters, else the ET date of the call.
CREATE OR REPLACE TABLE FUNCTION {audit}.others_calls(first_date DATE, last_date DATE) AS
WITH found AS (
  SELECT
    execution_id, scraper_name, triggered_at, game_date,
    JSON_VALUE(opts, '$.game_id') AS game_id,
    JSON_VALUE(opts, '$.game_code') AS game_code,
    COALESCE(
      JSON_VALUE(opts, '$.game_date'), JSON_VALUE(opts, '$.gamedate'), JSON_VALUE(opts, '$.date'),
      JSON_VALUE(opts, '$.game_code')
    ) AS date_text
  FROM {audit}.scraper_execution_log
  WHERE DATE(triggered_at) BETWEEN first_date AND last_date
    AND dag_id IS NULL
    AND status = 'success'
    AND execution_id NOT IN (
      SELECT execution_id
      FROM {audit}.scraper_execution_log
      WHERE DATE(triggered_at) BETWEEN first_date AND last_date AND dag_id IS NOT NULL
    )
)
SELECT
  execution_id,
  scraper_name,
  triggered_at,
  COALESCE(
    game_date, SAFE.PARSE_DATE('%Y%m%d', LEFT(REPLACE(date_text, '-', ''), 8)), DATE(triggered_at, 'America/New_York')
  ) AS target_date,
  LPAD(game_id, 10, '0') AS game_id,
  game_code
FROM found;
