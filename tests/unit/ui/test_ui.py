"""Our pages in Airflow's UI, and that only those see them who may see the task."""

import pytest
from airflow.api_fastapi.app import create_app
from fastapi.testclient import TestClient

from orchestration.ui.app import console_url


@pytest.mark.parametrize("page", ["call", "file"])
def test_nobody_sees_a_page_without_a_login(page):
    client = TestClient(create_app(apps="core"))
    reply = client.get(f"/orchestration/dags/betting_lines/{page}?run_id=r&task_id=t&map_index=-1")
    assert (reply.status_code, reply.json()) == (401, {"detail": "Not authenticated"})


def test_a_file_is_shown_in_the_console_of_google_cloud():
    assert console_url("gs://b/odds api/1.json").endswith("/_details/b/odds%20api/1.json")
