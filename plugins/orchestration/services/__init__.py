"""The scraper service, Cloud Storage and Pub/Sub, through Airflow's provider hooks."""
