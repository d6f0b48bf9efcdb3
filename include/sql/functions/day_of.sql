-- The day of a moment, from lock to lock: before the lock of a morning it is the day before. ET date.
CREATE OR REPLACE FUNCTION {audit}.day_of(moment TIMESTAMP) RETURNS DATE AS (
  DATE(DATETIME_SUB(DATETIME(moment, 'America/New_York'), INTERVAL {lock_minutes} MINUTE))
);
