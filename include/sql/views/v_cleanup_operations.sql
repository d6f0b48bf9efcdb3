-- Cleanups, one row per id
-- Rows without a DAG belong to the other system or to the service.
-- The day stands in PARTITION BY so that a reader's filter on it reaches the table's partitions.
CREATE OR REPLACE VIEW {audit}.v_cleanup_operations
OPTIONS(description="Cleanups, one row per id")
AS
SELECT *
FROM {audit}.cleanup_operations
WHERE dag_id IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY DATE(cleanup_time), cleanup_id ORDER BY created_at DESC) = 1;
