-- Whether a file's path, in any form, may be one of these names: those of objects, with and without their buckets. What
-- stands before the name is a bucket or a host, or nothing. orchestration.services.paths then looks closer.
CREATE OR REPLACE FUNCTION {audit}.fits_one_of(path STRING, names ARRAY<STRING>) RETURNS BOOL AS (
  {audit}.bare_path(path) IN UNNEST(names)
  OR REGEXP_REPLACE({audit}.bare_path(path), r'^[^/]+/', '') IN UNNEST(names)
);
