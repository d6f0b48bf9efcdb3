"""Faults of a BigQuery that answers: the emulator refuses requests or shifts its clock.

``POST /sandbox/troubles`` sets them as JSON. ``forbidden`` and ``quota`` refuse every request, ``refused`` refuses the
rows for one table, ``clock`` shifts the emulator's clock by this number of seconds.
"""

from __future__ import annotations

import json
from typing import Any

TROUBLES = "/sandbox/troubles"
TIMES = ("creationTime", "startTime", "endTime")
_REFUSALS = {
    "forbidden": ("accessDenied", "Access Denied: Project local: User does not have bigquery.jobs.create permission"),
    "quota": ("quotaExceeded", "Quota exceeded: Your project exceeded quota for free query bytes scanned"),
    "refused": ("accessDenied", "Access Denied: Permission bigquery.tables.updateData denied on table {table}"),
}


def refusal(kind: str, table: str = "") -> dict[str, Any]:
    """Return the body of BigQuery's answer with status 403."""
    reason, text = _REFUSALS[kind]
    message = text.format(table=table)
    return {"error": {"code": 403, "message": message, "errors": [{"reason": reason, "message": message}]}}


class Faults:
    """An ASGI middleware around the emulator that plays the faults."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.troubles: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Refuse the request, shift the times of a job, or pass the request on."""
        path = scope.get("path", "")
        if scope["type"] == "http" and path == TROUBLES:
            self.troubles = json.loads(await _body(receive) or b"{}")
            await _answer(send, 200, self.troubles)
        elif scope["type"] == "http" and (refused := self._refusal(path)):
            await _answer(send, 403, refused)
        elif scope["type"] == "http" and self.troubles.get("clock") and "/jobs" in path:
            await self._shifted(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _refusal(self, path: str) -> dict[str, Any] | None:
        for kind in ("forbidden", "quota"):
            if self.troubles.get(kind) and "/projects/" in path:
                return refusal(kind)
        table = self.troubles.get("refused")
        return refusal("refused", table) if table and path.endswith(f"/tables/{table}/insertAll") else None

    async def _shifted(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on, and shift the times in the answer."""
        start: dict[str, Any] = {}
        content = b""

        async def collect(message: dict[str, Any]) -> None:
            nonlocal content
            if message["type"] == "http.response.start":
                start.update(message)
                return
            content += message.get("body", b"")
            if message.get("more_body"):
                return
            body = json.loads(content)
            statistics = body.get("statistics", {}) if isinstance(body, dict) else {}
            for name in TIMES:
                if name in statistics:
                    statistics[name] = str(int(statistics[name]) + int(self.troubles["clock"]) * 1000)
            await _answer(send, start["status"], body)

        await self.app(scope, receive, collect)


async def _body(receive: Any) -> bytes:
    content, more = b"", True
    while more:
        message = await receive()
        content += message.get("body", b"")
        more = message.get("more_body", False)
    return content


async def _answer(send: Any, status: int, body: Any) -> None:
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
