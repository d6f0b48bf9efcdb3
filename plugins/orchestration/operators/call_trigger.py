"""A call made by the triggerer, while its task holds no worker slot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from orchestration.services.scraper_service import ScraperService
from orchestration.vocabulary.answers import AnswerDescription

RESUMED_AFTER = timedelta(seconds=3)
"""By then a scheduler knows of the deferral; a busy one takes a task that resumes sooner for failed
(apache/airflow#72716)."""


class ScraperCallTrigger(BaseTrigger):
    """Makes one call and hands over its result, whatever it is. ``timeout_seconds`` is for the complete answer.

    ``description`` says how it reads (the JSON form of an AnswerDescription; None, as a trigger of an earlier version
    has it: the built-in one), ``event_source`` that it names events.
    A triggerer that dies takes its calls along; the one that takes over makes them again, in the same try.
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
        """Return the class and its arguments; no secret is among them."""
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
        """Make the call; the event says what came of it, and from when to when (UTC) it took.

        It comes after RESUMED_AFTER at the earliest.
        """
        started = datetime.now(UTC)
        result = await ScraperService(self.endpoint).exchange(
            self.scraper,
            self.parameters,
            self.workflow,
            self.timeout_seconds,
            None if self.description is None else AnswerDescription.model_validate(self.description),
            event_source=self.event_source,
        )
        ended = datetime.now(UTC)
        if (early := RESUMED_AFTER - (ended - started)) > timedelta():
            await asyncio.sleep(early.total_seconds())
        times = {"started": started.isoformat(), "ended": ended.isoformat()}
        yield TriggerEvent({"result": result.to_dict(), **times})
