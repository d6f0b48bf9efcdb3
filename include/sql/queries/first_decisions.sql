-- The first tick on record of each workflow. Parameters: record_from, record_to DATE (UTC).
SELECT workflow_name, tick FROM {audit}.first_decisions(@record_from, @record_to)
