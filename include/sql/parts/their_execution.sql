-- The columns that we read of an execution of the other system.
TO_JSON_STRING(STRUCT(
  execution_id AS execution_id,
  UNIX_MICROS(execution_time) AS execution_time,
  workflow_name AS workflow_name,
  decision_id AS decision_id,
  scrapers_failed AS scrapers_failed,
  scraper_execution_ids AS scraper_execution_ids,
  status AS status
))
