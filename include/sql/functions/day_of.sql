-- The orchestration day of a moment, as an ET date. A moment before the lock of a morning belongs to the day before.
CREATE OR REPLACE FUNCTION {audit}.day_of(moment TIMESTAMP) RETURNS DATE AS (
  DATE(DATETIME_SUB(DATETIME(moment, 'America/New_York'), INTERVAL {lock_minutes} MINUTE))
);
