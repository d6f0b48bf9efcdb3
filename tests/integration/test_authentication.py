"""Authentication of the scraper service's connection: basic auth, headers, Google ID tokens, masked secrets."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest
from airflow.sdk._shared.secrets_masker import redact
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from orchestration.services import google_cloud
from orchestration.services.scraper_service import CallRequest, ScraperService
from orchestration.words import Outcome
from support.scripted import ScriptedService, found

AUDIENCE = "https://scrapers.example.run.app"


def part(data: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


class TokenServer:
    """The part of Google's token endpoint that we use: it takes a signed assertion and returns an ID token."""

    def __init__(self) -> None:
        self.audiences: list[str] = []
        self.lifetimes: list[int] = []
        self.refuses = False
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                claims = form["assertion"][0].split(".")[1]
                endpoint.audiences.append(json.loads(base64.urlsafe_b64decode(claims + "=="))["target_audience"])
                lifetime = endpoint.lifetimes.pop(0) if endpoint.lifetimes else 3600
                token = f"{part({'alg': 'none'})}.{part({'exp': int(time.time()) + lifetime})}.secret"
                body = json.dumps({"error": "down"} if endpoint.refuses else {"id_token": token}).encode()
                self.send_response(400 if endpoint.refuses else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/token"


@pytest.fixture
def service():
    with ScriptedService().serving() as running:
        yield running


@pytest.fixture
def tokens(monkeypatch):
    endpoint = TokenServer()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    account = {
        "type": "service_account",
        "project_id": "local",
        "private_key_id": "1",
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "client_email": "airflow@local.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": endpoint.url,
    }
    connection = {"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": account, "project": "local"}}
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", json.dumps(connection))
    monkeypatch.setattr(google_cloud, "_CREDENTIALS", {})
    yield endpoint
    endpoint.server.shutdown()
    endpoint.server.server_close()


def call(monkeypatch, service, **connection):
    data = {"conn_type": "http", "host": "127.0.0.1", "port": service.port, **connection}
    monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", json.dumps(data))
    return ScraperService().call(CallRequest("x", {}, "w", 10))


def test_login_and_password_are_sent_as_basic_auth(monkeypatch, service):
    assert call(monkeypatch, service, login="me", password="pw").outcome is Outcome.SUCCESS
    assert service.headers[0]["Authorization"] == "Basic " + base64.b64encode(b"me:pw").decode()


def test_extras_are_sent_as_headers(monkeypatch, service):
    call(monkeypatch, service, extra={"X-Api-Key": "k", "timeout": 5})
    assert service.headers[0]["X-Api-Key"] == "k"
    assert "timeout" not in service.headers[0]


def test_an_id_token_is_fetched_once_and_again_before_it_expires(monkeypatch, service, tokens, caplog, capfd):
    tokens.lifetimes = [1, 3600]
    for _ in range(3):
        assert (
            call(monkeypatch, service, extra={"google_id_token_audience": AUDIENCE, "timeout": 5}).outcome
            is Outcome.SUCCESS
        )
    assert tokens.audiences == [AUDIENCE, AUDIENCE]
    first, second, third = (headers["Authorization"] for headers in service.headers)
    assert first.startswith("Bearer ")
    assert first != second == third
    assert not any("audience" in name.lower() for name in service.headers[0])
    said = "".join([caplog.text, *capfd.readouterr()])
    assert first.removeprefix("Bearer ") not in said


def test_a_call_without_an_id_token_fails_and_names_the_cause(monkeypatch, service, tokens):
    tokens.refuses = True
    result = call(monkeypatch, service, extra={"google_id_token_audience": AUDIENCE})
    assert (result.outcome, result.error_type) == (Outcome.FAILED, "no_id_token")
    assert "Google gave no ID token" in result.error_message
    assert service.asked == []


def test_a_login_beside_an_id_token_is_refused(monkeypatch, service, tokens):
    result = call(monkeypatch, service, login="me", password="pw", extra={"google_id_token_audience": AUDIENCE})
    assert (result.outcome, result.error_type, result.retryable) == (Outcome.FAILED, "not_set_up", True)
    assert "scraper_service has a login and asks for an ID token" in result.error_message
    assert service.asked == []


BASIC = {"login": "me", "password": 'p"w\\ö of mine'}
ODD = {"extra": {"X-Pass-It-On": "let me in please"}}
TOKEN = {"extra": {"google_id_token_audience": AUDIENCE}}


@pytest.mark.parametrize("connection", [BASIC, ODD, TOKEN], ids=["password", "header", "ID token"])
@pytest.mark.parametrize("status", [200, 403, 500])
def test_our_own_credentials_are_masked_in_answers(monkeypatch, service, tokens, connection, status):
    def echo(*_):
        sent = [value for name, value in service.headers[-1].items() if name in ("Authorization", "X-Pass-It-On")]
        password = [connection["password"]] if "password" in connection else []
        echoed.extend([*password, *sent, *(value.removeprefix("Basic ").removeprefix("Bearer ") for value in sent)])
        told = {"rowCount": 1, "sent": echoed, "text": json.dumps(service.headers[-1]), "seen": repr(echoed)}
        said = {"message": f"denied: {echoed}", "data_summary": told}
        return status, {"status": "success" if status == 200 else "error", **said}

    echoed: list[str] = []
    service.script(x=echo)
    left = json.dumps(call(monkeypatch, service, **connection).to_dict(), ensure_ascii=False)
    assert len(echoed) >= 2
    for secret in echoed:
        assert secret not in left
        assert json.dumps(secret, ensure_ascii=False)[1:-1] not in left
        assert secret not in redact(f"a log that says {secret} all the same")


def test_a_header_value_that_is_part_of_a_path_leaves_the_path_unmasked(monkeypatch, service):
    path = "gs://files/production/1.json"
    service.script(x=lambda *_: found(1, gcs_path=path, where="in production", run_id="production-1"))
    result = call(monkeypatch, service, extra={"X-Env": "production"})
    assert (result.gcs_path, result.summary["where"]) == (path, "in ***")
