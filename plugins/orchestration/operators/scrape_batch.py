"""Several calls to the scraper service, as one task instance."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import AirflowFailException, AirflowTaskTimeout

from orchestration.operators.base import AuditedOperator
from orchestration.operators.calls import SHADOW, CallLedger, ScraperCall
from orchestration.operators.retries import CallFailed, CallsFailed, together
from orchestration.operators.scrape import ScrapeOperator
from orchestration.planning.calls import divided
from orchestration.runs.clock import RunClock
from orchestration.runs.execution import call_ends, failures_in_short
from orchestration.services.answers import CallResult, failed
from orchestration.services.connection import NotSetUp
from orchestration.services.redaction import without_secrets
from orchestration.services.scraper_service import Line, ScraperService
from orchestration.words import Outcome

if TYPE_CHECKING:
    from airflow.sdk import Context


class DivideOperator(AuditedOperator):
    """Divides the list that the task ``of`` returned into lists of ``size``. The calls are mapped over these lists.

    A task of its own, because Airflow maps a task only over the list that another task returned.
    """

    ui_color = "#f4f4f4"

    def __init__(self, *, of: str, size: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.of, self.size = of, size

    def execute(self, context: Context) -> list[list[Any]]:
        """Return the lists. Fails if they are more than Airflow maps a task over."""
        found: list[Any] = context["ti"].xcom_pull(task_ids=self.of, map_indexes=-1)
        lists, most = divided(found, self.size), conf.getint("core", "max_map_length")
        if len(lists) > most:
            limit = f"more tasks than Airflow maps over ([core] max_map_length: {most})"
            raise AirflowFailException(f"{len(found)} calls, {self.size} a task, are {limit}; raise calls_per_task")
        return lists


class ScrapeBatchOperator(ScrapeOperator):
    """Calls one scraper for each of a list of items, ``at_once`` at a time, in one process and over asyncio.

    Each call has its own row, outcome and timeout. The task fails if one call failed. A retry repeats only the failed
    calls that may succeed. A cleared task repeats all calls. The calls share one worker slot. The task never
    defers: a triggerer cannot stage rows, so its death would lose the results.
    """

    several = True
    # The UI shows this field beside the task.
    template_fields = ("outcomes",)
    overwrite_rtif_after_execution = True
    outcomes: Any = ""

    def __init__(self, *, at_once: int, **arguments: Any) -> None:
        super().__init__(**{**arguments, "deferrable": False})
        self.at_once = at_once

    def execute(self, context: Context) -> None:
        """Make the calls that are still to be made. Fails when one of the task's calls has failed."""
        ledger, now = self._begin(context, self._calls(context, self._decision(context)))
        self.log.info("%d calls, %d at a time", len(ledger.pending), self.at_once)
        try:
            asyncio.run(self._make(context, ledger))
        except AirflowTaskTimeout:
            late = failed("timeout", f"the task did not end within its {self.execution_timeout}", retryable=True)
            self._report_all(context, ledger, late, now)
        except NotSetUp as error:
            self._report_all(context, ledger, error.result(), now)
        self._close(context, ledger)

    def _report_all(self, context: Context, ledger: CallLedger, result: CallResult, started: datetime) -> None:
        """Record one result for all calls that have none."""
        for call in list(ledger.pending.values()):
            row = self._record(context, call, result, started, RunClock.of(context).now())
            ledger.report(call, result, started, row)

    async def _make(self, context: Context, ledger: CallLedger) -> None:
        """Make all calls. An error of one call, or of its row, is raised after all other calls have ended."""
        clock, slots = RunClock.of(context), asyncio.Semaphore(self.at_once)
        decision = self._decision(context)

        async def make(line: Line, call: ScraperCall) -> None:
            async with slots:
                started = clock.now()
                self.log.info("%s, with %s", call.label, without_secrets(dict(call.opts)))
                result = SHADOW
                if not self.is_shadow_by_now():
                    result = await line.call(self._request(call, decision))
                ended = clock.now()
            row = await asyncio.to_thread(self._record, context, call, result, started, ended)
            ledger.report(call, result, started, row)
            said = result.error_message if result.outcome is Outcome.FAILED else f"{result.record_count} records"
            self.log.info("%s: %s, %s", call.label, result.outcome, said)
            await ledger.save()

        async with ScraperService(self.config.settings.endpoint).line() as line:
            calls = [make(line, call) for call in ledger.pending.values()]
            for error in await asyncio.gather(*calls, return_exceptions=True):
                if error is not None:
                    raise error

    def _close(self, context: Context, ledger: CallLedger) -> None:
        """Show the outcomes of the calls. Fails if a call failed in this try, or for good in an earlier try."""
        ti, policy = context["ti"], self.retry_policy
        assert policy is not None
        decisions = {
            index: policy.evaluate(CallFailed(self.scraper, result), ti.try_number, ti.max_tries, context)
            for index, result in ledger.failures.items()
        }
        ledger.close({index for index, decision in decisions.items() if decision.action is RetryAction.RETRY})
        ends = call_ends([self.scraper], {(self.scraper, -1): "success"}, {(self.scraper, -1): ledger.reports()})
        bad = [end for end in ends if end.outcome is Outcome.FAILED]
        self.outcomes = {
            end.label: f"failed: {end.error_type}" if end in bad else str(end.outcome)
            for end in sorted(ends, key=lambda end: end not in bad)
        }
        if bad:
            message = f"{len(bad)} of {len(ends)} calls failed: {failures_in_short(ends)}"
            raise CallsFailed(message, together(decisions.values()))
