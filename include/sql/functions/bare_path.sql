-- A path without scheme, host and double slashes: the part that all forms of the path share.
CREATE OR REPLACE FUNCTION {audit}.bare_path(path STRING) RETURNS STRING AS (
  TRIM(REGEXP_REPLACE(REGEXP_REPLACE(path, r'^([a-z]+://(storage\.[a-z.]+/)?|/gcs/)', ''), r'/+', '/'), '/ ')
);
