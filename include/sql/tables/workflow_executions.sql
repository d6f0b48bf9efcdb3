-- One row per RUN: its calls, counted by outcome.
CREATE TABLE IF NOT EXISTS {audit}.workflow_executions (
  execution_id STRING NOT NULL OPTIONS(description="Deterministic id; the view keeps one row per id"),
  execution_time TIMESTAMP NOT NULL OPTIONS(description="Start of the execution"),
  workflow_name STRING NOT NULL OPTIONS(description="Name in workflows.yaml"),
  decision_id STRING OPTIONS(description="The decision that the execution belongs to"),
  scrapers_requested ARRAY<STRING> OPTIONS(description="Scrapers of the decision"),
  scrapers_triggered INT64 NOT NULL OPTIONS(description="Number of calls made"),
  scrapers_succeeded INT64 NOT NULL OPTIONS(description="Number of calls that did not fail, also those with no_data"),
  scrapers_failed INT64 NOT NULL OPTIONS(description="Number of calls that failed"),
  scraper_execution_ids ARRAY<STRING> OPTIONS(description="execution_id of every call, failed ones too"),
  status STRING NOT NULL OPTIONS(description="completed, partial or failed"),
  duration_seconds FLOAT64 OPTIONS(description="Seconds from the first call's start to the end"),
  error_message STRING OPTIONS(description="A summary of the failed calls"),
  created_at TIMESTAMP OPTIONS(description="When the row was made"),
  slot_time TIMESTAMP OPTIONS(description="The tick"),
  target_date DATE OPTIONS(description="ET date that the data is about"),
  deadline_missed BOOL OPTIONS(description="True in the row of a missed deadline (deadline_minutes). The view keeps it when the run's own row follows"),
  scrapers_no_data INT64 OPTIONS(description="Number of calls that worked and found nothing published yet"),
  environment STRING OPTIONS(description="environment of workflows.yaml"),
  dag_id STRING OPTIONS(description="Airflow DAG"),
  run_id STRING OPTIONS(description="Airflow DAG run"),
  task_id STRING OPTIONS(description="Airflow task"),
  map_index INT64 OPTIONS(description="Index of a mapped task, else -1"),
  try_number INT64 OPTIONS(description="Try, from 1")
)
PARTITION BY DATE(execution_time)
CLUSTER BY workflow_name, status
OPTIONS(partition_expiration_days=90, description="What each RUN did");
