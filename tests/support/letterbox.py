"""A mail server and a Slack webhook on 127.0.0.1, with Airflow connections to both."""

from __future__ import annotations

import contextlib
import email
import json
import threading
from collections.abc import Iterator
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
from aiosmtpd.controller import Controller
from airflow.sdk import BaseHook, BaseNotifier

from support.ports import free_ports


class Pager(BaseNotifier):
    """A notifier such as a provider has: it posts its arguments to the address in a connection."""

    template_fields = ("text",)

    def __init__(
        self, *, text: str, dedup_key: str = "", details: dict[str, str] | None = None, pager_conn_id: str = "pager"
    ) -> None:
        super().__init__()
        self.body = {"text": text, "dedup_key": dedup_key, "details": details}
        self.pager_conn_id = pager_conn_id

    def notify(self, context: object) -> None:
        """Post the message. Raises requests.HTTPError if it is refused."""
        to = BaseHook.get_connection(self.pager_conn_id)
        requests.post(f"http://{to.host}:{to.port}/pager", json=self.body, timeout=10).raise_for_status()


class Letterbox:
    """The received alerts: ``mails`` as parsed messages, ``posts`` as the webhook's paths and JSON bodies."""

    def __init__(self) -> None:
        self.mails, self.posts, self.refuse = [], [], False
        """``refuse``: True, or the beginning of the paths that the webhook refuses."""
        self.says = b"no"
        """The body of the webhook's refusal."""

    async def handle_DATA(self, server, session, envelope) -> str:
        """Receive a mail; the interface is aiosmtpd's."""
        self.mails.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    @contextlib.contextmanager
    def open(self) -> Iterator[dict[str, str]]:
        """Start both servers, and yield environment variables with the two connections."""
        box = self

        class Webhook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                refuse = self.path.startswith(box.refuse) if isinstance(box.refuse, str) else box.refuse
                if not refuse:
                    box.posts.append((self.path, body))
                self.send_response(403 if refuse else 200)
                self.end_headers()
                self.wfile.write(box.says if refuse else b"ok")

            def log_message(self, *_: object) -> None:
                """Write no access log."""

        [port] = free_ports(1)
        controller = Controller(self, hostname="127.0.0.1", port=port)
        controller.start()
        server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        mail = {
            "conn_type": "smtp", "host": "127.0.0.1", "port": port,
            "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com", "retry_limit": 1},
        }  # fmt: skip
        slack = {
            "conn_type": "slackwebhook", "schema": "http", "host": f"127.0.0.1:{server.server_port}/services",
            "password": "T00/B00/s3cret",
        }  # fmt: skip
        try:
            yield {
                "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(mail),
                "AIRFLOW_CONN_SLACK_DEFAULT": json.dumps(slack),
                "AIRFLOW_CONN_PAGER": json.dumps(
                    {"conn_type": "http", "host": "127.0.0.1", "port": server.server_port}
                ),
            }
        finally:
            controller.stop()
            server.shutdown()
            server.server_close()
