-- One row for each cleanup: missing files and republished files.
CREATE TABLE IF NOT EXISTS {audit}.cleanup_operations (
  cleanup_id STRING NOT NULL OPTIONS(description="Deterministic id; the view keeps one row per id"),
  cleanup_time TIMESTAMP NOT NULL OPTIONS(description="When the cleanup looked for files"),
  files_checked INT64 NOT NULL OPTIONS(description="Number of files of successful calls in the look-back"),
  missing_files_found INT64 NOT NULL OPTIONS(description="Number of files that had not reached their table"),
  republished_count INT64 NOT NULL OPTIONS(description="Number of messages really published"),
  missing_files ARRAY<STRUCT<scraper_name STRING, gcs_path STRING, triggered_at TIMESTAMP, age_minutes INT64, republished BOOL>> OPTIONS(description="The missing files"),
  errors ARRAY<STRING> OPTIONS(description="Errors, and which files were not republished and why"),
  duration_seconds FLOAT64 OPTIONS(description="Duration in seconds"),
  pubsub_enabled BOOL OPTIONS(description="Whether publishing was possible"),
  seen ARRAY<STRUCT<kind STRING, about STRING, text STRING>> OPTIONS(description="Problems around the system: configuration, Airflow, the service, the outbox, the clock"),
  files_since TIMESTAMP OPTIONS(description="Files of calls since then were checked; NULL if nothing could be checked"),
  followed_files ARRAY<STRUCT<scraper_name STRING, gcs_path STRING, triggered_at TIMESTAMP, target_date DATE, call STRING, state STRING, why STRING>> OPTIONS(description="Files that left the look-back before they arrived: those still open, and those that this cleanup closed"),
  environment STRING OPTIONS(description="environment of workflows.yaml"),
  created_at TIMESTAMP OPTIONS(description="When the row was made"),
  dag_id STRING OPTIONS(description="Airflow DAG"),
  run_id STRING OPTIONS(description="Airflow DAG run"),
  task_id STRING OPTIONS(description="Airflow task"),
  map_index INT64 OPTIONS(description="Index of a mapped task, else -1"),
  try_number INT64 OPTIONS(description="Try, from 1")
)
PARTITION BY DATE(cleanup_time)
CLUSTER BY missing_files_found, republished_count
OPTIONS(partition_expiration_days=90, description="What each cleanup found and republished");
