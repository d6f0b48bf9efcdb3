-- Example queries. `make docs` makes this file. The answers are those of an invented week.

-- Is the night in, per game and scraper?
SELECT *
FROM nba_orchestration.game_completeness(DATE '2026-01-14', DATE '2026-01-14');

-- What ran on a day, and why?
SELECT slot_time, workflow_name, action, reason
FROM nba_orchestration.v_workflow_decisions
WHERE DATE(decision_time) BETWEEN '2026-01-14' AND '2026-01-15' AND action != 'SKIP'
ORDER BY slot_time;

-- Which calls failed, and with which error?
SELECT triggered_at, label, try_number, error_type, error_message
FROM nba_orchestration.v_scraper_runs
WHERE DATE(triggered_at) BETWEEN '2026-01-14' AND '2026-01-15' AND status = 'failed'
ORDER BY triggered_at;

-- Which runs missed their deadline this week?
SELECT workflow_name, slot_time, status, duration_seconds
FROM nba_orchestration.v_workflow_executions
WHERE DATE(execution_time) BETWEEN '2026-01-08' AND '2026-01-15' AND deadline_missed;

-- How reliable is each scraper over seven days?
SELECT *
FROM nba_orchestration.scraper_success_rates(DATE '2026-01-08', DATE '2026-01-14');

-- How reliable is each source, and how many hours after midnight (ET) of its date does it usually publish?
SELECT week, scraper_name, calls, no_data, failed, median_seconds, usual_hour
FROM nba_orchestration.source_reliability(DATE '2026-01-12', DATE '2026-01-18')
ORDER BY week, scraper_name;
-- week        scraper_name        calls  no_data  failed  median_seconds  usual_hour
-- 2026-01-12  br_season_roster    7      0        1       8.25            6.0
-- 2026-01-12  nbac_injury_report  45     38       0       2.6             13.0
-- 2026-01-12  nbac_team_boxscore  28     0        0       2.375           22.0

-- When was each injury report first found?
SELECT first_time.target_date, first_time.found_at
FROM nba_orchestration.source_reliability(DATE '2026-01-12', DATE '2026-01-18'), UNNEST(found) AS first_time
WHERE scraper_name = 'nbac_injury_report'
ORDER BY first_time.target_date;
-- target_date  found_at
-- 2026-01-12   2026-01-12 13:05:00
-- 2026-01-13   2026-01-13 14:05:00
-- 2026-01-14   2026-01-14 13:05:00
-- 2026-01-15   2026-01-15 14:05:00
-- 2026-01-16   2026-01-16 13:05:00
-- 2026-01-17   2026-01-17 14:05:00
-- 2026-01-18   2026-01-18 13:05:00

-- Were deadlines met, and how many minutes after the final whistle (150 after the tip) were box scores in?
SELECT date, executions, deadlines_met, games, collected, median_minutes, slowest_minutes
FROM nba_orchestration.sla(DATE '2026-01-12', DATE '2026-01-15', 'nbac_team_boxscore', 150)
ORDER BY date;
-- date        executions  deadlines_met  games  collected  median_minutes  slowest_minutes
-- 2026-01-12  4           1.0            4      4          155.0           245
-- 2026-01-13  4           1.0            4      4          155.0           245
-- 2026-01-14  4           0.75           4      4          155.0           725
-- 2026-01-15  4           1.0            4      4          155.0           245

-- Which files were sent again?
SELECT cleanup_time, missing.scraper_name, missing.gcs_path, missing.age_minutes
FROM nba_orchestration.v_cleanup_operations, UNNEST(missing_files) AS missing
WHERE DATE(cleanup_time) BETWEEN '2026-01-14' AND '2026-01-15' AND missing.republished;
