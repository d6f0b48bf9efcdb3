-- The days to which two moments belong, as the reports have it. Parameters: before, lock TIMESTAMP.
SELECT {audit}.day_of(@before) AS before, {audit}.day_of(@lock) AS lock
