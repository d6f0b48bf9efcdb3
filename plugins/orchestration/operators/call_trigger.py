"""A call that the triggerer makes while its task holds no worker slot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from pydantic import TypeAdapter

from orchestration.services.scraper_service import CallRequest, ScraperService

RESUMED_AFTER = timedelta(seconds=3)
"""The shortest time before a task resumes. If a task resumes before a busy scheduler has seen its deferral, the
scheduler counts the task as failed (apache/airflow#72716)."""


class ScraperCallTrigger(BaseTrigger):
    """Makes one call and returns its result in an event. ``request`` has the fields of a CallRequest.

    Airflow's database keeps the arguments while a call is made, so the next release must accept them. If the triggerer
    dies, the next one makes the call again in the same try.
    """

    def __init__(self, endpoint: str = "scrape", **request: Any) -> None:
        super().__init__()
        self.endpoint, self.request = endpoint, CallRequest(**request)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and its arguments. They contain no secret of the connection, and no keys that are not set.

        A triggerer of the last release refuses keys that it does not know.
        """
        request = TypeAdapter(CallRequest).dump_python(self.request, mode="json", exclude_none=True)
        return f"{type(self).__module__}.{type(self).__qualname__}", {**request, "endpoint": self.endpoint}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Make the call. The event has the result, and the start and end of the call in UTC.

        The event is not sent before RESUMED_AFTER.
        """
        started = datetime.now(UTC)
        result = await ScraperService(self.endpoint).acall(self.request)
        ended = datetime.now(UTC)
        if (early := RESUMED_AFTER - (ended - started)) > timedelta():
            await asyncio.sleep(early.total_seconds())
        times = {"started": started.isoformat(), "ended": ended.isoformat()}
        yield TriggerEvent({"result": result.to_dict(), **times})
