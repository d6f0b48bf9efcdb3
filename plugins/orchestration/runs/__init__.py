"""One DAG run: its tick, its clock, and the status of its execution."""
