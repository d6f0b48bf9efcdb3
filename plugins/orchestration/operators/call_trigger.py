"""A call that the triggerer makes while its task holds no worker slot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from orchestration.services.scraper_service import NotSetUp, ScraperService
from orchestration.vocabulary.answers import AnswerDescription

RESUMED_AFTER = timedelta(seconds=3)
"""The least time before a task resumes. If a task resumes before a busy scheduler has seen its deferral, the scheduler
takes the task for failed (apache/airflow#72716)."""


class ScraperCallTrigger(BaseTrigger):
    """Makes one call and returns its result in an event. ``timeout_seconds`` is the limit for the complete answer.

    ``description`` says how to read the answer: an AnswerDescription as JSON. None, from a trigger of an earlier
    release, means the built-in description. ``event_source``: other scrapers are called for the events of this one. If
    the triggerer dies, the next one makes the call again in the same try.
    """

    def __init__(
        self,
        scraper: str,
        parameters: Mapping[str, Any],
        workflow: str,
        timeout_seconds: float,
        description: Mapping[str, Any] | None = None,
        event_source: bool = False,
        endpoint: str = "scrape",
    ) -> None:
        super().__init__()
        self.scraper, self.parameters, self.workflow = scraper, dict(parameters), workflow
        self.timeout_seconds = timeout_seconds
        self.description, self.event_source = description, event_source
        self.endpoint = endpoint

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and its arguments, which contain no secret of the connection."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "scraper": self.scraper,
            "parameters": self.parameters,
            "workflow": self.workflow,
            "timeout_seconds": self.timeout_seconds,
            "description": self.description,
            "event_source": self.event_source,
            "endpoint": self.endpoint,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Make the call. The event has the result, and the start and end of the call in UTC.

        The event is not sent before RESUMED_AFTER.
        """
        started = datetime.now(UTC)
        form = None if self.description is None else AnswerDescription.model_validate(self.description)
        request = (self.scraper, self.parameters, self.workflow, self.timeout_seconds, form)
        try:
            async with ScraperService(self.endpoint).line() as line:
                result = await line.call(*request, event_source=self.event_source)
        except NotSetUp as error:
            result = error.result()
        ended = datetime.now(UTC)
        if (early := RESUMED_AFTER - (ended - started)) > timedelta():
            await asyncio.sleep(early.total_seconds())
        times = {"started": started.isoformat(), "ended": ended.isoformat()}
        yield TriggerEvent({"result": result.to_dict(), **times})
