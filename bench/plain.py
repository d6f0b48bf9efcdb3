"""A DAG file of the benchmark: the same calls with Airflow's own HttpOperator."""

from __future__ import annotations

import json
import os
from datetime import timedelta

from airflow.providers.http.operators.http import HttpOperator  # noqa: TID253 - the measured operator
from airflow.sdk import DAG

for name, count, seconds, deferrable in json.loads(os.environ["BENCH_PLAIN"]):
    with DAG(name, schedule=None, catchup=False) as dag:
        HttpOperator.partial(
            task_id="call",
            http_conn_id="scraper_service",
            endpoint="scrape",
            method="POST",
            headers={"Content-Type": "application/json"},
            deferrable=deferrable,
            retries=3,
            retry_delay=timedelta(seconds=5),
        ).expand(data=[json.dumps({"scraper": "plain", "event_id": n, "seconds": seconds}) for n in range(count)])
    globals()[name] = dag
