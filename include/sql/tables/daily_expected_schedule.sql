-- The runs that the lock of a day expects: one row for each workflow and tick. All rows of a lock have the same locked_at.
CREATE TABLE IF NOT EXISTS {audit}.daily_expected_schedule (
  date DATE NOT NULL OPTIONS(description="ET date of the orchestration day, from its lock to the next"),
  locked_at TIMESTAMP NOT NULL OPTIONS(description="When the day was locked, the same in all rows of a lock"),
  workflow_name STRING NOT NULL OPTIONS(description="Name in workflows.yaml"),
  expected_run_time TIMESTAMP NOT NULL OPTIONS(description="Tick at which a RUN is expected"),
  reason STRING OPTIONS(description="Why a RUN is expected then"),
  scrapers ARRAY<STRING> OPTIONS(description="Scrapers of the plan"),
  games_today INT64 OPTIONS(description="Number of games on the target date, 0 to 15"),
  priority STRING OPTIONS(description="CRITICAL, HIGH, MEDIUM or LOW"),
  schedule_version STRING OPTIONS(description="version of workflows.yaml"),
  generated_by STRING OPTIONS(description="DAG and task that locked"),
  environment STRING OPTIONS(description="environment of workflows.yaml"),
  created_at TIMESTAMP OPTIONS(description="When the row was made"),
  expected_id STRING OPTIONS(description="Deterministic id; the view keeps one row per id. NULL in rows of another system"),
  target_date DATE OPTIONS(description="ET date that the data is about"),
  forced BOOL OPTIONS(description="A forced lock replaces the day's first lock"),
  rules STRING OPTIONS(description="Digest of the workflow's rules in workflows.yaml"),
  slate ARRAY<STRUCT<game_id STRING, code STRING, tip TIMESTAMP>> OPTIONS(description="Games of the date at the lock, the same in every row of the lock. Empty in rows of older releases"),
  calls STRING OPTIONS(description="Each scraper of the plan with a digest of its parameters: name=digest"),
  dag_id STRING OPTIONS(description="Airflow DAG"),
  run_id STRING OPTIONS(description="Airflow DAG run"),
  task_id STRING OPTIONS(description="Airflow task"),
  map_index INT64 OPTIONS(description="Index of a mapped task, else -1"),
  try_number INT64 OPTIONS(description="Try, from 1")
)
PARTITION BY date
CLUSTER BY workflow_name, expected_run_time
OPTIONS(partition_expiration_days=90, description="Expected runs of each day, locked at 05:00 ET");
