"""Our pages need a login, and every address registered with Airflow exists."""

import pytest
from airflow.api_fastapi.app import create_app
from fastapi.testclient import TestClient

from orchestration.plugin import VERDICT, VIEWS
from orchestration.ui.rendering import asset, console_url
from support.routes import addresses

VALUES = {
    "day": "2026-01-14", "dag_id": "betting_lines", "offset": 3600, "name": "page.js",
    "run_id": "r", "task_id": "t", "map_index": -1,
}  # fmt: skip


@pytest.fixture(scope="module")
def client():
    return TestClient(create_app(apps="core"))


@pytest.mark.parametrize(("path", "address"), addresses(VALUES), ids=lambda value: value)
def test_every_page_needs_a_login(client, path, address):
    reply = client.get(f"/orchestration{address}")
    assert (reply.status_code, reply.json()) == (401, {"detail": "Not authenticated"}), path


def test_a_file_is_shown_in_the_console_of_google_cloud():
    assert console_url("gs://b/odds api/1.json").endswith("/_details/b/odds%20api/1.json")


def test_every_address_registered_with_airflow_exists(client):
    files = [VERDICT["bundle_url"]]
    for view in VIEWS:
        address = view["href"].format(DAG_ID="betting_lines", RUN_ID="r")
        assert client.get(f"/{address}").status_code == 401
        files += [view["icon"], view["icon_dark_mode"]]
    for address in files:
        assert asset(address.rpartition("/")[2])
        assert client.get(f"/{address}").status_code == 401
    routes = [view["url_route"] for view in (*VIEWS, VERDICT)]
    assert len(set(routes)) == len(routes)
