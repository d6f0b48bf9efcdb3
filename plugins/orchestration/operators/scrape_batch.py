"""Several calls to the scraper service, as one task instance."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import AirflowFailException, AirflowTaskTimeout

from orchestration.operators.base import AuditedOperator, task_key
from orchestration.operators.call_ledger import Ledger, Left
from orchestration.operators.call_rows import KILLED, OUTCOME_KEY, Call, call_row
from orchestration.operators.retries import CallFailed, CallsFailed, together
from orchestration.operators.scrape import SHADOW, ScrapeOperator
from orchestration.planning.calls import divided
from orchestration.runs.clock import RunClock
from orchestration.runs.execution import call_ends, failures_in_short
from orchestration.services.answers import CallResult, failed
from orchestration.services.redaction import without_secrets
from orchestration.services.scraper_service import Line, NotSetUp, ScraperService
from orchestration.vocabulary.scrapers import answer_of
from orchestration.words import Outcome

if TYPE_CHECKING:
    from airflow.sdk import Context

    from orchestration.records.tables import CallRecord

REPORTED_KEY = "calls"
"""Where a task keeps, across its tries, what its calls came to."""


class DivideOperator(AuditedOperator):
    """Divides the list that the task ``of`` returned into lists of ``size``, over which calls are mapped.

    Airflow maps a task over what one other returned, once for each of its items.
    """

    ui_color = "#f4f4f4"

    def __init__(self, *, of: str, size: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.of, self.size = of, size

    def execute(self, context: Context) -> list[list[Any]]:
        """Return the lists. Fails for more of them than Airflow maps a task over."""
        found: list[Any] = context["ti"].xcom_pull(task_ids=self.of, map_indexes=-1)
        lists, most = divided(found, self.size), conf.getint("core", "max_map_length")
        if len(lists) > most:
            limit = f"more tasks than Airflow maps over ([core] max_map_length: {most})"
            raise AirflowFailException(f"{len(found)} calls, {self.size} a task, are {limit}; raise calls_per_task")
        return lists


class ScrapeBatchOperator(ScrapeOperator):
    """Calls one scraper for each of a list of items, ``at_once`` at a time, in one process and over asyncio.

    Each call has its own row, outcome and timeout. The task fails when one of them failed; a retry makes those again
    that may succeed then, a task that somebody cleared all. Its calls share one worker slot, so it never defers: a
    triggerer keeps no rows, and one that dies would lose what its calls had brought.
    """

    several = True
    # What the UI shows beside the task.
    template_fields = ("outcomes",)
    overwrite_rtif_after_execution = True
    outcomes: Any = ""

    def __init__(self, *, at_once: int, **arguments: Any) -> None:
        super().__init__(**{**arguments, "deferrable": False})
        self.at_once = at_once

    def execute(self, context: Context) -> None:
        """Make the calls that are still to be made, and fail where one of them all has failed."""
        clock = RunClock.of(context)
        ledger, now = self._ledger(context, self._calls(context, self._decision(context), clock)), clock.now()
        silent = (self._row(context, call, KILLED, number, now, now) for call, number in ledger.silent())
        self.stage(silent, unless_staged=True)
        ledger.begin(now)
        self.log.info("%d calls, %d at a time", len(ledger.pending), self.at_once)
        try:
            asyncio.run(self._make(context, ledger))
        except AirflowTaskTimeout:
            late = failed("timeout", f"the task outlived its {self.execution_timeout}", retryable=True)
            self._report_all(context, ledger, late, now)
        except NotSetUp as error:
            self._report_all(context, ledger, error.result(), now)
        self._close(context, ledger)

    def _report_all(self, context: Context, ledger: Ledger, result: CallResult, started: datetime) -> None:
        """Note one result of all calls that have none."""
        clock, number = RunClock.of(context), task_key(context).try_number
        for call in list(ledger.pending.values()):
            ended = clock.now()
            row = self._row(context, call, result, number, started, ended)
            self.stage([row])
            self._measure(result, started, ended)
            ledger.report(call, result, started, row)

    def _ledger(self, context: Context, calls: list[Call]) -> Ledger:
        ti, store = context["ti"], context["task_state_store"]
        known: list[Left] = (store.get(REPORTED_KEY) if ti.try_number > 1 else None) or []

        def write(left: list[Left], reported: list[Left]) -> None:
            store.set(REPORTED_KEY, reported)
            ti.xcom_push(OUTCOME_KEY, {"map_index": ti.map_index, "calls": left})

        return Ledger(task_key(context), calls, known, self._first_try(context), write)

    async def _make(self, context: Context, ledger: Ledger) -> None:
        """Make all calls. What keeps one from being made or noted is raised when all others are over."""
        clock, slots = RunClock.of(context), asyncio.Semaphore(self.at_once)
        number = task_key(context).try_number

        async def make(line: Line, call: Call) -> None:
            async with slots:
                started = clock.now()
                self.log.info("%s, with %s", call.label, without_secrets(dict(call.opts)))
                result = SHADOW if self.is_shadow_by_now() else await self._answer(context, line, call)
                ended = clock.now()
            row = self._row(context, call, result, number, started, ended)
            await asyncio.to_thread(self.stage, [row])
            self._measure(result, started, ended)
            ledger.report(call, result, started, row)
            said = result.error_message if result.outcome is Outcome.FAILED else f"{result.record_count} records"
            self.log.info("%s: %s, %s", call.label, result.outcome, said)
            await ledger.save()

        async with ScraperService(self.config.settings.endpoint).line() as line:
            calls = [make(line, call) for call in ledger.pending.values()]
            for error in await asyncio.gather(*calls, return_exceptions=True):
                if error is not None:
                    raise error

    async def _answer(self, context: Context, line: Line, call: Call) -> CallResult:
        description = answer_of(self.scraper, self.config.scrapers[self.scraper])
        workflow = self._decision(context)["workflow"]
        return await line.call(self.scraper, call.opts, workflow, self.timeout_seconds, description)

    def _row(
        self, context: Context, call: Call, result: CallResult, number: int, started: datetime, ended: datetime
    ) -> CallRecord:
        key, environment = replace(task_key(context), try_number=number), self.config.environment
        return call_row(call, result, key, self._decision(context), RunClock.of(context), environment, started, ended)

    def _close(self, context: Context, ledger: Ledger) -> None:
        """Say what became of the calls, and fail where one failed, in this try or for good in an earlier one."""
        ti, policy = context["ti"], self.retry_policy
        assert policy is not None
        decisions = {
            index: policy.evaluate(CallFailed(self.scraper, result), ti.try_number, ti.max_tries, context)
            for index, result in ledger.failures.items()
        }
        ledger.close({index for index, decision in decisions.items() if decision.action is RetryAction.RETRY})
        ends = call_ends([self.scraper], {(self.scraper, -1): "success"}, {(self.scraper, -1): ledger.left()})
        bad = [end for end in ends if end.outcome is Outcome.FAILED]
        self.outcomes = {
            end.label: f"failed: {end.error_type}" if end in bad else str(end.outcome)
            for end in sorted(ends, key=lambda end: end not in bad)
        }
        if bad:
            message = f"{len(bad)} of {len(ends)} calls failed: {failures_in_short(ends)}"
            raise CallsFailed(message, together(decisions.values()))
