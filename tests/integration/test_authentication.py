"""Authentication of the scraper service's connection: basic auth, headers, Google ID tokens, masked secrets."""

import base64
import contextlib
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
from orchestration.services.connection import NotSetUp
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
    assert (result.outcome, result.error_type, result.retryable) == (Outcome.FAILED, "not_set_up", False)
    assert "connection scraper_service: has a login and asks for an ID token" in result.error_message
    assert service.asked == []


UNUSABLE = {
    "a header with a line break": ({"extra": {"X-Api-Key": "k3y\n"}}, "extra.X-Api-Key holds a line break at its end"),
    "two lines": ({"extra": {"X-Api-Key": "k3y\r\nX-Other: 1"}}, "extra.X-Api-Key holds a line break"),
    "a zero byte": ({"extra": {"X-Api-Key": "k3y\0"}}, "extra.X-Api-Key holds a control character"),
    "a name with a space": ({"extra": {"X Api Key": "k3y"}}, "extra.X Api Key is not the name of a header"),
    "a number": ({"extra": {"X-Team": 7}}, "extra.X-Team is sent as a header and is a number, not text"),
    "true": ({"extra": {"X-On": True}}, "extra.X-On is sent as a header and is true or false"),
    "null": ({"extra": {"X-Api-Key": None}}, "extra.X-Api-Key is sent as a header and is null"),
    "an object": ({"extra": {"headers": {"X-Api-Key": "k3y"}}}, "extra.headers is sent as a header and is an object"),
    "a list": ({"extra": {"X-Api-Key": ["k3y"]}}, "extra.X-Api-Key is sent as a header and is a list"),
    "two proxies": ({"extra": {"proxies": {"http": "http://k3y@p:1"}}}, "extra.proxy is not one address"),
    "a timeout in words": ({"extra": {"timeout": "ten"}}, "extra.timeout is not a number of seconds above 0"),
    "a negative timeout": ({"extra": {"timeout": -5}}, "extra.timeout is not a number of seconds above 0"),
    "an endless timeout": ({"extra": {"timeout": "inf"}}, "extra.timeout is not a number of seconds above 0"),
    "a file for verify": ({"extra": {"verify": "/ca.pem"}}, "extra.verify_ssl is not true or false"),
    "a password beyond Latin-1": ({"login": "me", "password": "k3y\u20ac"}, "password holds a character"),
    "a login beyond Latin-1": ({"login": "m\u0119", "password": "k3y"}, "login holds a character"),
    "a login with a colon": ({"login": "m:e", "password": "k3y"}, "cannot be read: ValueError"),
    "an audience that is a number": ({"extra": {"google_id_token_audience": 1}}, "audience is sent as a header"),
    "an extra that is no JSON": ({"extra": "X-Api-Key: k3y"}, "extra is not a JSON object"),
    "an extra that is a list": ({"extra": '["k3y"]'}, "extra is not a JSON object"),
    "a host with a line break": ({"host": "127.0.0.1\n"}, "host holds a space or a line break"),
    "a schema of files": ({"schema": "ftp"}, "schema is 'ftp', not http or https"),
    "no host": ({"host": ""}, "host is empty"),
}


@pytest.mark.lesson("F10")
@pytest.mark.parametrize(("connection", "says"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_connection_that_cannot_be_used_is_one_named_failure_before_the_first_call(
    monkeypatch, service, connection, says
):
    result = call(monkeypatch, service, **connection)
    assert says in result.error_message
    assert (result.outcome, result.error_type) == (Outcome.FAILED, "not_set_up")
    assert result.retryable is says.startswith("cannot be read")
    assert "k3y" not in result.error_message
    with contextlib.suppress(NotSetUp) if result.retryable else contextlib.nullcontext():
        assert says in ScraperService().problem(10)
    assert service.asked == service.got == []


class Proxy(BaseHTTPRequestHandler):
    """An HTTP proxy that writes down what it is asked for and answers itself."""

    seen: list[tuple[str, str | None]]

    def do_POST(self) -> None:
        self.seen.append((self.path, self.headers["Proxy-Authorization"]))
        body = json.dumps(found()[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.seen.append((self.path, self.headers["Proxy-Authorization"]))
        self.send_error(407)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy():
    server = HTTPServer(("127.0.0.1", 0), type("SeenProxy", (Proxy,), {"seen": []}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("way", ["http_proxy", "extra"])
def test_a_call_goes_through_the_proxy_of_the_surroundings_or_of_the_connection(monkeypatch, service, proxy, way):
    address = f"http://me:pr0xy@127.0.0.1:{proxy.server_port}"
    for name in ("HTTP_PROXY", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    if way == "http_proxy":
        monkeypatch.setenv("http_proxy", address)
    extra = {"extra": {"proxy": address}} if way == "extra" else {}
    assert call(monkeypatch, service, host="scrapers.example", port=80, **extra).outcome is Outcome.SUCCESS
    [(path, login)] = proxy.RequestHandlerClass.seen
    assert path.startswith("http://scrapers.example")
    assert login == "Basic " + base64.b64encode(b"me:pr0xy").decode()


def test_no_proxy_keeps_a_host_away_from_the_proxy(monkeypatch, service, proxy):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")
    monkeypatch.setenv("no_proxy", "127.0.0.0/8,.internal")
    assert call(monkeypatch, service).outcome is Outcome.SUCCESS
    assert (len(service.asked), proxy.RequestHandlerClass.seen) == (1, [])


def test_a_proxy_that_refuses_is_named(monkeypatch, service, proxy):
    monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.server_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    result = call(monkeypatch, service, host="https://scrapers.example", port=443)
    assert (result.error_type, result.error_message) == ("connection", "the proxy answered HTTP 407 to CONNECT")


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


LOOKED_UP = {
    "apiKey": "{{ conn.odds_api.password }}",
    "team": "{{conn.odds_api.extra.team}}",
    "region": "{{ var.region }}",
}


def asked_with(monkeypatch, service, names=tuple(LOOKED_UP)):
    monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", f"http://127.0.0.1:{service.port}")
    return ScraperService().call(CallRequest("x", LOOKED_UP, "w", 10, references=names))


def test_a_parameter_may_be_a_field_of_a_connection_or_a_variable_and_is_masked(monkeypatch, service):
    odds = {"conn_type": "http", "password": "pl4nted-key", "extra": {"team": "PHX-planted"}}
    monkeypatch.setenv("AIRFLOW_CONN_ODDS_API", json.dumps(odds))
    monkeypatch.setenv("AIRFLOW_VAR_REGION", "us-planted")
    service.script(x=lambda request, _: (500, {"status": "error", "message": f"no odds for {request['apiKey']}"}))
    result = asked_with(monkeypatch, service)
    [asked] = service.asked
    assert (asked["apiKey"], asked["team"], asked["region"]) == ("pl4nted-key", "PHX-planted", "us-planted")
    assert result.error_message == "HTTP 500: no odds for ***"
    assert redact("pl4nted-key") == "***"


@pytest.mark.parametrize(
    ("connection", "says"),
    [
        (None, "the connection odds_api of parameter apiKey cannot be read: AirflowNotFoundException"),
        ({"conn_type": "http"}, "the connection odds_api of parameter apiKey has no password"),
        ({"conn_type": "http", "password": "k3y"}, "the connection odds_api of parameter team has no extra.team"),
    ],
)
def test_a_parameter_that_cannot_be_looked_up_is_named_before_the_call(monkeypatch, service, connection, says):
    if connection is not None:
        monkeypatch.setenv("AIRFLOW_CONN_ODDS_API", json.dumps(connection))
    result = asked_with(monkeypatch, service)
    assert (result.error_type, service.asked) == ("not_set_up", [])
    assert result.error_message.startswith(says)


def test_a_text_from_outside_is_never_looked_up(monkeypatch, service):
    monkeypatch.setenv("AIRFLOW_CONN_ODDS_API", json.dumps({"conn_type": "http", "password": "pl4nted-key"}))
    assert asked_with(monkeypatch, service, names=None).outcome is Outcome.SUCCESS
    assert service.asked[0]["apiKey"] == "{{ conn.odds_api.password }}"
