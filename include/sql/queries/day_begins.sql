-- The orchestration days of two moments, as the reports count them. Parameters: before, lock TIMESTAMP.
SELECT {audit}.day_of(@before) AS before, {audit}.day_of(@lock) AS lock
