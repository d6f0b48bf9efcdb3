"""The scraper service and Pub/Sub, through Airflow's provider hooks."""
