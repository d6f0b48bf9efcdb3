-- The day, from lock to lock, to which a moment belongs: until the morning's lock it is still yesterday's. ET dates.
CREATE OR REPLACE FUNCTION {audit}.day_of(moment TIMESTAMP) RETURNS DATE AS (
  DATE(DATETIME_SUB(DATETIME(moment, 'America/New_York'), INTERVAL {lock_minutes} MINUTE))
);
