-- One row per try of a call.
CREATE TABLE IF NOT EXISTS {audit}.scraper_execution_log (
  execution_id STRING NOT NULL OPTIONS(description="The service's run id, or a deterministic id where no answer came"),
  scraper_name STRING NOT NULL OPTIONS(description="Name in workflows.yaml"),
  workflow STRING OPTIONS(description="Workflow that called"),
  game_date DATE OPTIONS(description="Date that the data is about, ET"),
  status STRING NOT NULL OPTIONS(description="success, no_data or failed"),
  triggered_at TIMESTAMP NOT NULL OPTIONS(description="When the call was made"),
  completed_at TIMESTAMP OPTIONS(description="When it ended, on failure too"),
  duration_seconds FLOAT64 OPTIONS(description="How long it took, on failure too"),
  source STRING NOT NULL OPTIONS(description="CONTROLLER, MANUAL or RECOVERY"),
  environment STRING OPTIONS(description="environment of workflows.yaml"),
  triggered_by STRING OPTIONS(description="schedule, manual (with the user) or replay"),
  gcs_path STRING OPTIONS(description="File that the scraper wrote"),
  data_summary JSON OPTIONS(description="The service's summary"),
  error_type STRING OPTIONS(description="Kind of failure"),
  error_message STRING OPTIONS(description="What went wrong, cut at 1,000 characters"),
  retry_count INT64 OPTIONS(description="Try number - 1"),
  recovery BOOL OPTIONS(description="Whether the call made up for an earlier one"),
  run_id STRING OPTIONS(description="= execution_id, as the old readers know it"),
  opts JSON OPTIONS(description="Parameters, without anything secret"),
  created_at TIMESTAMP OPTIONS(description="When the row was made"),
  row_id STRING OPTIONS(description="Deterministic id; the view keeps one row per id. NULL in rows that the service writes itself"),
  service_retries INT64 OPTIONS(description="How often the service itself has tried its source again, where it says so"),
  slot_time TIMESTAMP OPTIONS(description="The tick"),
  target_date DATE OPTIONS(description="Target date of the decision, ET"),
  game_id STRING OPTIONS(description="NBA game id, 10 digits, of a per-game call"),
  label STRING OPTIONS(description="What the call was for"),
  record_count INT64 OPTIONS(description="Records that the service counted"),
  decision_id STRING OPTIONS(description="The decision that it belongs to"),
  dag_id STRING OPTIONS(description="Airflow DAG"),
  dag_run_id STRING OPTIONS(description="Airflow DAG run"),
  task_id STRING OPTIONS(description="Airflow task"),
  map_index INT64 OPTIONS(description="Index of a mapped task, else -1"),
  try_number INT64 OPTIONS(description="Try, from 1")
)
PARTITION BY DATE(triggered_at)
CLUSTER BY scraper_name, workflow, status, source
OPTIONS(partition_expiration_days=90, description="Every try of every call to the scraper service");
