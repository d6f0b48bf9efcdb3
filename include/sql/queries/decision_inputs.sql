-- All that one decision needs, in one round trip: the schedule around the target date, when it was last refreshed, and
-- the history of the workflow and of those it requires. Each row is a kind and a JSON object.
-- Parameters: schedule_from, schedule_to, season_from, season_to DATE; history_from_date DATE; history_from, tick
-- TIMESTAMP; workflows, scrapers ARRAY<STRING>.
WITH games AS (
  SELECT game_id, game_code, game_date, game_date_est, game_status, game_status_text, home_team_tricode, away_team_tricode
  FROM nba_raw.nbac_schedule
  WHERE game_date BETWEEN @schedule_from AND @schedule_to
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY LPAD(CAST(game_id AS STRING), 10, '0')
    ORDER BY IF(data_source = 'api_stats', 0, 1), processed_at DESC
  ) = 1
)
SELECT 'game' AS kind, TO_JSON_STRING(STRUCT(
  game_id AS game_id,
  game_code AS code,
  CAST(game_date AS STRING) AS date,
  UNIX_SECONDS(game_date_est) AS tip,
  home_team_tricode AS home,
  away_team_tricode AS away,
  game_status AS status,
  game_status_text AS status_text
)) AS payload
FROM games
UNION ALL
SELECT 'refreshed', TO_JSON_STRING(STRUCT(UNIX_SECONDS(MAX(processed_at)) AS at_second))
FROM nba_raw.nbac_schedule
WHERE game_date BETWEEN @season_from AND @season_to
UNION ALL
SELECT 'execution', TO_JSON_STRING(STRUCT(
  workflow_name AS workflow,
  UNIX_SECONDS(slot_time) AS tick,
  CAST(target_date AS STRING) AS target_date,
  status AS status,
  scrapers_succeeded - COALESCE(scrapers_no_data, 0) AS with_records
))
FROM nba_orchestration.v_workflow_executions
WHERE DATE(execution_time) >= @history_from_date
  AND slot_time >= @history_from
  AND slot_time < @tick
  AND workflow_name IN UNNEST(@workflows)
UNION ALL
SELECT 'call', TO_JSON_STRING(STRUCT(
  scraper_name AS scraper,
  UNIX_SECONDS(slot_time) AS tick,
  CAST(target_date AS STRING) AS target_date,
  status AS outcome,
  game_id AS game_id
))
FROM nba_orchestration.v_scraper_runs
WHERE DATE(triggered_at) >= @history_from_date
  AND slot_time >= @history_from
  AND slot_time < @tick
  AND scraper_name IN UNNEST(@scrapers)
UNION ALL
SELECT 'decision', TO_JSON_STRING(STRUCT(
  workflow_name AS workflow,
  UNIX_SECONDS(slot_time) AS tick,
  CAST(target_date AS STRING) AS target_date,
  action AS action,
  rule AS rule
))
FROM nba_orchestration.v_workflow_decisions
WHERE DATE(decision_time) >= @history_from_date
  AND slot_time >= @history_from
  AND slot_time < @tick
  AND workflow_name IN UNNEST(@workflows)
