"""Our pages in Airflow's UI, and that only those see them who may see the task."""

import pytest
from airflow.api_fastapi.app import create_app
from fastapi.testclient import TestClient

from orchestration.plugin import VERDICT, VIEWS
from orchestration.ui.rendering import console_url

CALL = "?run_id=r&task_id=t&map_index=-1"


@pytest.mark.parametrize(
    "page",
    [
        f"dags/betting_lines/call{CALL}", f"dags/betting_lines/file{CALL}", "day", "day?day=2026-01-14", "verdict",
        "day/2026-01-14/betting_lines", "day/2026-01-14/betting_lines/3600", "day/2026-01-14/betting_lines/3600/brief",
        "dags/betting_lines/next", "dags/betting_lines/run?run_id=r",
    ],
)  # fmt: skip
def test_nobody_sees_a_page_without_a_login(page):
    client = TestClient(create_app(apps="core"))
    reply = client.get(f"/orchestration/{page}")
    assert (reply.status_code, reply.json()) == (401, {"detail": "Not authenticated"})


def test_a_file_is_shown_in_the_console_of_google_cloud():
    assert console_url("gs://b/odds api/1.json").endswith("/_details/b/odds%20api/1.json")


def test_what_airflow_is_told_of_leads_to_pages_and_files_that_there_are():
    client = TestClient(create_app(apps="core"))
    for view in VIEWS:
        address = view["href"].format(DAG_ID="betting_lines", RUN_ID="r")
        assert client.get(f"/{address}").status_code == 401
        for icon in (view["icon"], view["icon_dark_mode"]):
            assert client.get(f"/{icon}").headers["content-type"].startswith("image/svg")
    assert client.get(f"/{VERDICT['bundle_url']}").headers["content-type"].startswith("text/javascript")
    routes = [view["url_route"] for view in (*VIEWS, VERDICT)]
    assert len(set(routes)) == len(routes)
