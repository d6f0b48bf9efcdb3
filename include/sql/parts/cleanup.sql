-- The columns of a cleanup that the health check and the page get, from cleanup_operations.
TO_JSON_STRING(STRUCT(
  UNIX_MICROS(cleanup_time) AS cleanup_time,
  files_checked AS files_checked,
  missing_files_found AS missing_files_found,
  republished_count AS republished_count,
  ARRAY(
    SELECT AS STRUCT file.scraper_name, file.gcs_path, UNIX_MICROS(file.triggered_at) AS triggered_at, file.age_minutes,
      file.republished
    FROM UNNEST(missing_files) AS file
  ) AS missing_files,
  errors AS errors,
  seen AS seen,
  UNIX_MICROS(files_since) AS files_since,
  ARRAY(
    SELECT AS STRUCT file.scraper_name, file.gcs_path, UNIX_MICROS(file.triggered_at) AS triggered_at,
      CAST(file.target_date AS STRING) AS target_date, file.call, file.state, file.why
    FROM UNNEST(followed_files) AS file
  ) AS followed_files
))
