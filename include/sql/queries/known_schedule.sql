-- The schedule between two ET dates, both included. Parameters: schedule_from, schedule_to DATE.
SELECT kind, payload FROM {audit}.known_schedule(@schedule_from, @schedule_to)
