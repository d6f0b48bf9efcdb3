"""The pages in Airflow's UI: a day, a tick, a DAG, a run and a call; and the buttons on a call."""
