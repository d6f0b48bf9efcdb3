"""What this package adds to Airflow's UI: links from a call to its log rows and to its file."""
