-- As bare_path, without what stands first in it: a bucket or a folder.
CREATE OR REPLACE FUNCTION {audit}.inner_path(path STRING) RETURNS STRING AS (
  REGEXP_REPLACE(
    TRIM(REGEXP_REPLACE(REGEXP_REPLACE(path, r'^([a-z]+://(storage\.[a-z.]+/)?|/gcs/)', ''), r'/+', '/'), '/ '),
    r'^[^/]+/', ''
  )
);
