-- One row per workflow and tick: RUN, SKIP or ABORT, and why.
CREATE TABLE IF NOT EXISTS {audit}.workflow_decisions (
  decision_id STRING NOT NULL OPTIONS(description="Deterministic id; the view keeps one row per id"),
  decision_time TIMESTAMP NOT NULL OPTIONS(description="When the decision was made"),
  workflow_name STRING NOT NULL OPTIONS(description="Name in workflows.yaml"),
  action STRING NOT NULL OPTIONS(description="RUN, SKIP or ABORT"),
  reason STRING NOT NULL OPTIONS(description="The reason, in one sentence"),
  context JSON OPTIONS(description="The values behind the answer"),
  scrapers_triggered ARRAY<STRING> OPTIONS(description="On RUN: the scrapers of the plan"),
  target_games ARRAY<STRING> OPTIONS(description="NBA game ids, 10 digits"),
  next_check_time TIMESTAMP OPTIONS(description="The next tick at which the answer can change, always in the future"),
  priority STRING OPTIONS(description="CRITICAL, HIGH, MEDIUM or LOW"),
  alert_level STRING OPTIONS(description="NONE, INFO, WARNING or CRITICAL"),
  controller_version STRING OPTIONS(description="Version of this package"),
  environment STRING OPTIONS(description="environment of workflows.yaml"),
  triggered_by STRING OPTIONS(description="schedule, manual (with the user) or replay"),
  created_at TIMESTAMP OPTIONS(description="When the row was made"),
  slot_time TIMESTAMP OPTIONS(description="The tick"),
  rule STRING OPTIONS(description="Name of the check that answered"),
  target_date DATE OPTIONS(description="ET date that the data is about"),
  dag_id STRING OPTIONS(description="Airflow DAG"),
  run_id STRING OPTIONS(description="Airflow DAG run"),
  task_id STRING OPTIONS(description="Airflow task"),
  map_index INT64 OPTIONS(description="Index of a mapped task, else -1"),
  try_number INT64 OPTIONS(description="Try, from 1")
)
PARTITION BY DATE(decision_time)
CLUSTER BY workflow_name, action, alert_level
OPTIONS(partition_expiration_days=90, description="Every decision of every workflow at every tick");
