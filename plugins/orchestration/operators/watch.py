"""The watchdog: it sends each finding of the health check once (DESIGN section 8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts.heartbeat import beat
from orchestration.alerts.memory import ALERTS, WATCHDOG, alert_once
from orchestration.alerts.model import Alert, alert, alert_of
from orchestration.audit.facts import day_facts
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.config import Config
from orchestration.decisions.request import CleanupRequest
from orchestration.health import data
from orchestration.health.facts import DayFacts
from orchestration.health.findings import GRACE, MORNING, AlertedBy
from orchestration.health.incidents import incidents
from orchestration.health.kinds import GAMES_INCOMPLETE
from orchestration.health.task_kinds import AUDIT_UNREADABLE
from orchestration.health.verdict import Health, assess
from orchestration.nba.eastern import after
from orchestration.operators.base import AlertingOperator, refuse_bad_request
from orchestration.operators.metrics import GAMES_COLLECTED, GAMES_DUE, LOCK_AGE_MINUTES, VERDICT, measuring
from orchestration.runs.clock import RunClock
from orchestration.words import Verdict

if TYPE_CHECKING:
    from airflow.sdk import Context

MORE = timedelta(hours=1, minutes=30)
"""The watchdog watches yesterday until this long after reconcile should have fetched yesterday's missing games."""


def _just_on(today: DayFacts, now: datetime) -> bool:
    """Return whether the system is new: its first decision is recent, or it has none and this is its first cleanup."""
    first = min((fact.decided_at for fact in today.first), default=None)
    if first is None:
        return len(today.cleanups) <= 1
    # Rows that are older than every decision show that decisions are gone.
    older = today.began is not None and after(today.began, GRACE) < min(fact.tick for fact in today.first)
    return now < after(first, GRACE) and not older


def _measure(config: Config, days: list[DayFacts], seen: list[Health], now: datetime) -> None:
    """Set the metrics of the days. The first of them is today."""
    VERDICT.set(max(health.verdict.exit_code for health in seen))
    if not config.is_shadow():
        GAMES_DUE.set(sum(health.due for health in seen))
        GAMES_COLLECTED.set(sum(health.collected for health in seen))
    today = days[0]
    start, _ = config.day_bounds(today.day)
    if not config.settings.daily_schedule_lock.enabled or today.since(start) > start:
        return
    # Without a lock of today, the last lock is yesterday's or older.
    at_best, _ = config.day_bounds(today.day - timedelta(days=1))
    locked = max((day.locked_at for day in days if day.locked_at), default=at_best)
    LOCK_AGE_MINUTES.set(int((now - locked).total_seconds() // 60))


def _alerts(config: Config, day: date, health: Health, now: datetime) -> Iterator[Alert]:
    """Yield the alerts about a day, each in the incident of its cause."""
    repaired = data.repairs_until(config, day)
    reconciles_first = repaired is not None and now < repaired
    for incident in incidents(health.findings):
        for finding in incident.findings:
            if finding.of.alerted_by is AlertedBy.WATCH and not (reconciles_first and finding.of is GAMES_INCOMPLETE):
                workflow = config.workflows.get(finding.workflow)
                yield alert_of(replace(finding, cause=incident.key), workflow.alerts if workflow else None, day)


class WatchOperator(AlertingOperator):
    """Sends the findings of the health check, each once per workflow, kind and ET day, and says which have healed.

    A system that has just been switched on is not watched yet. Missing games are reported only after reconcile had time
    to fetch them.
    """

    def execute(self, context: Context) -> None:
        """Assess today, and in the morning yesterday too. Findings that other tasks send are left out."""
        refuse_bad_request(context, CleanupRequest)
        config, clock = self.config, RunClock.of(context)
        now, store = clock.now(), context["asset_state_store"][ALERTS]
        today = config.current_day(now)
        alerts: list[Alert] = []
        looked_at: list[date] | None = None
        try:
            warehouse = Warehouse(config.settings)
            facts = [day_facts(warehouse, config, today, now)]
            if _just_on(facts[0], now):
                self.log.info("The system has just been switched on; it is watched from the next hour on")
                beat(store, config, clock)
                return
            yesterday = today - timedelta(days=1)
            until = config.day_bounds(today)[0] + MORNING
            if repaired := data.repairs_until(config, yesterday):
                until = max(until, after(repaired, MORE))
            if now < until:
                before = day_facts(warehouse, config, yesterday, now)
                # Before its first decision the system did not run.
                facts += [before] if before.first else []
            seen = [assess(config, day, now) for day in facts]
            with measuring(VERDICT.name):
                _measure(config, facts, seen, now)
            looked_at = [day.day for day in facts]
            for day, health in zip(facts, seen, strict=True):
                alerts += _alerts(config, day.day, health, now)
        except WarehouseError as error:
            VERDICT.set(Verdict.UNKNOWN.exit_code)
            alerts.append(alert(AUDIT_UNREADABLE, "watchdog", why=error))
        try:
            alert_once(context, config, WATCHDOG, alerts, self.log, looked_at)
        except AirflowFailException:
            # New alerts turn the task red. The look was good.
            if looked_at is not None:
                beat(store, config, clock)
            raise
        if looked_at is not None:
            beat(store, config, clock)
