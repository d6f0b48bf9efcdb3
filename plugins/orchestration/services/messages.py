"""The handoff message that cleanup publishes for a file whose own message was lost (lesson C5). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class LostFile:
    """A file of a successful call that has not reached its table. Times are aware."""

    scraper_name: str
    gcs_path: str
    execution_id: str
    workflow: str | None
    record_count: int | None
    triggered_at: datetime


def recovery_message(file: LostFile, moment: datetime) -> tuple[dict[str, Any], dict[str, str]]:
    """Return body and attributes of the message. Readers look at ``name``; ``scraper_name`` has the same value."""
    workflow = file.workflow or ""
    body = {
        "name": file.scraper_name,
        "scraper_name": file.scraper_name,
        "execution_id": file.execution_id,
        "gcs_path": file.gcs_path,
        "status": "success",
        "record_count": file.record_count,
        "workflow": workflow,
        "timestamp": moment.astimezone(UTC).isoformat(),
        "recovery": True,
    }
    attributes = {
        "scraper_name": file.scraper_name,
        "status": "success",
        "execution_id": file.execution_id,
        "workflow": workflow,
        "recovery": "true",
    }
    return body, attributes
