-- What we read of an execution of the system beside or before ours.
TO_JSON_STRING(STRUCT(
  execution_id AS execution_id,
  decision_id AS decision_id,
  workflow_name AS workflow,
  UNIX_SECONDS(execution_time) AS at_second,
  status AS status,
  scrapers_failed AS failed,
  scraper_execution_ids AS calls
))
