"""One DAG run: its tick and clock, and what its calls amounted to."""
