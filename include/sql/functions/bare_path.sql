-- A file's path without scheme, slashes at its ends and doubled ones: what is left of any form that a reader may have noted.
CREATE OR REPLACE FUNCTION {audit}.bare_path(path STRING) RETURNS STRING AS (
  TRIM(REGEXP_REPLACE(REGEXP_REPLACE(path, r'^[a-z]+://', ''), r'/+', '/'), '/ ')
);
