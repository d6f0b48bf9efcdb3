"""The simple contract: the count is ``rowCount``, the answer names the file, and the HTTP status names the fault."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sandbox.dialect.base import TOPIC, Answer, Failure, ServiceCall, message_body
from sandbox.scrapers import SCRAPERS, Finding

RETRY_AFTER_SECONDS = 2


class Plain:
    """The contract for a new service."""

    topic = TOPIC
    scrapers = tuple(sorted(SCRAPERS))
    logs = False
    batches = False
    overwrites = False

    def run_id(self, bits: int) -> str:
        """Return a UUID."""
        return str(UUID(int=bits, version=4))

    def listing(self) -> dict[str, Any]:
        """Return the names."""
        return {"scrapers": list(self.scrapers)}

    def judge(self, call: ServiceCall, result: Finding | Failure) -> Finding | Failure:
        """Return the result unchanged: a source without data yet is a success with 0 records."""
        return result

    def answer(self, call: ServiceCall, result: Finding | Failure, path: str | None) -> Answer:
        """Return the answer to the caller, with the file's path."""
        said = {"scraper": call.name, "run_id": call.run_id}
        if isinstance(result, Finding):
            summary = {"rowCount": result.record_count, **result.summary, **({"gcs_path": path} if path else {})}
            message = f"{call.name}: {result.record_count} records"
            return 200, {"status": "success", "message": message, "data_summary": summary, **said}, {}
        body = {"status": "error", "message": result.text, **said}
        if result.kind == "blocked":
            return 403, body, {}
        if result.kind == "rate_limited":
            return 429, body, {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return 500, {**body, "error_type": "ValueError" if result.kind == "parameters" else "UpstreamError"}, {}

    def log_row(self, call: ServiceCall, result: Finding | Failure, path: str | None, now: datetime) -> None:
        """Return None: the answer holds everything."""

    def message(self, call: ServiceCall, finding: Finding, path: str, now: datetime) -> dict[str, Any]:
        """Return the body of the handoff's message."""
        return message_body(call, call.name, finding, path, now)

    def processed(self, name: str, row: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Return the row with the file's full path."""
        return {**row, "source_file_path": path}
