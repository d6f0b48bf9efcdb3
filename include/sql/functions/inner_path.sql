-- The path of bare_path without its first part, which is a bucket or a folder.
CREATE OR REPLACE FUNCTION {audit}.inner_path(path STRING) RETURNS STRING AS (
  REGEXP_REPLACE(
    TRIM(REGEXP_REPLACE(REGEXP_REPLACE(path, r'^([a-z]+://(storage\.[a-z.]+/)?|/gcs/)', ''), r'/+', '/'), '/ '),
    r'^[^/]+/', ''
  )
);
