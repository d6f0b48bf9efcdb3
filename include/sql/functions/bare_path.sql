-- A file's path without scheme and host, slashes at its ends and doubled ones: what any form has in common.
CREATE OR REPLACE FUNCTION {audit}.bare_path(path STRING) RETURNS STRING AS (
  TRIM(REGEXP_REPLACE(REGEXP_REPLACE(path, r'^([a-z]+://(storage\.[a-z.]+/)?|/gcs/)', ''), r'/+', '/'), '/ ')
);
