"""The scraper service repeats every secret it receives, and a real Airflow shows none of them."""

import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration.nba.eastern import et
from support import sinks
from support.live import AS_OF, SCRAPERS, SECRETS, Live, live_airflow
from support.scripted import found
from support.standins import PATIENCE_SECONDS

pytestmark = pytest.mark.drill


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory):
    with live_airflow(Path(tmp_path_factory.mktemp("runs"))) as running:
        yield running


def telling(live: Live) -> dict:
    """Return answers that contain every secret: those of the request, and those of the service itself."""
    s = SECRETS
    sent = [["Host", "x"], ["X-Pass", s["header"]], ["x-api-key", s["key"]]]
    basic = base64.b64encode(f"me:{s['password']}".encode()).decode()
    nested = json.dumps({"telltale": 1, "body": json.dumps({"client_secret": s["nested"]})})
    message = (
        f"GET https://me:{s['login']}@api.example.com/v4?apiKey={s['url']}&token={s['token']}&x=1 telltale: "
        f"redirected from https%3A%2F%2Fapi.example.com%3FapiKey%3D{s['encoded']}%26x%3D1, asked by {basic} "
        f"({s['password']}) with {sent}: {nested}"
    )

    def log(*_):
        columns = "execution_id, scraper_name, status, triggered_at, created_at, source, error_type, error_message"
        said = f"telltale: GET /v4?apiKey={s['log']}"
        values = f"'r-telltale', 'x', 'failed', '{AS_OF.isoformat()}', '{AS_OF.isoformat()}', 'CONTROLLER', 'Telltale'"
        text = f"INSERT nba_orchestration.scraper_execution_log ({columns}) VALUES ({values}, '{said}')"
        live.bigquery.query(text).result(timeout=PATIENCE_SECONDS)
        return 500, {"status": "error", "message": "it failed", "run_id": "r-telltale"}

    summary = {"headers": dict(sent), "request": nested, "url": f"telltale?apiKey={s['url']}", "basic": basic}
    return {
        "tells": lambda *_: (403, {"status": "error", "message": message, "data_summary": summary}),
        "tells_deferred": lambda *_: found(2, gcs_path=f"gs://bucket/telltale.json?token={s['file']}", **summary),
        "tells_its_log": log,
    }


def test_no_row_xcom_field_log_alert_page_or_command_shows_a_secret(live):
    live.service.script(**telling(live))
    live.box.refuse, live.box.says = True, f"telltale?apiKey={SECRETS['refusal']}".encode()
    before = len(live.box.mails)
    try:
        run = live.run("secretive", AS_OF + timedelta(minutes=9))
    finally:
        live.box.refuse = False
    assert live.service.headers[0]["X-Pass"] == SECRETS["header"]
    calls = [(task, index) for task, index in live.instances("secretive", run) if task in SCRAPERS]
    day, home = et(AS_OF).date(), live.stack.home
    mail = ("mail", live.box.mails[before].get_body().get_content())
    shown = [
        mail,
        *sinks.files(home),
        *sinks.airflows_database(home),
        *sinks.rows(lambda text: [dict(row) for row in live.bigquery.query(text).result(timeout=PATIENCE_SECONDS)]),
        *sinks.pages(live.api.session, live.stack.url, day, "secretive", run, calls),
        *sinks.command_line(live.stack.env, day, "tells"),
    ]
    assert sorted({(name, where) for where, text in shown for name, secret in SECRETS.items() if secret in text}) == []
    read = {where.split(":")[0] for where, text in shown if "telltale" in text.lower()}
    assert read >= {"mail", "task log", "xcom", "v_scraper_runs", "v_workflow_executions", "page", "command"}
    assert "Not sent by slack" in live.log("secretive", run, "finish")
