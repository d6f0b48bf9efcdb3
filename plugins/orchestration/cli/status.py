"""``status``: the whole system part by part, each with its own verdict and the next command."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from orchestration.cli.health import shadow_note
from orchestration.config import Config
from orchestration.config.last_good import in_use
from orchestration.health.facts import DayFacts
from orchestration.health.findings import Finding
from orchestration.health.verdict import Health, assess
from orchestration.nba.eastern import clock, et
from orchestration.planning.day import current_day
from orchestration.services.errors import in_short
from orchestration.words import Verdict

WIDTH = 79
SECONDS = 5
PARTS: dict[str, frozenset[str]] = {
    "locker": frozenset({"not_locked", "config_broken", "rules_changed", "halt_forgotten"}),
    "decisions": frozenset(
        {"missing_ticks", "expected_missed", "abort", "bigquery_down", "schedule_unknown", "unusable_rows"}
        | {"rows_not_taken", "outbox_unwritable", "dag_paused", "clock_off", "schedule_frozen", "misdated_tips"}
    ),
    "executions": frozenset(
        {"run_without_execution", "execution_failed", "execution_partial", "vetoed", "deadline_missed"}
        | {"airflow_part_dead", "pool_full"}
    ),
    "calls": frozenset(
        {"service_down", "answers_cut", "unknown_scraper", "service_slow", "source_failing", "source_silent"}
        | {"mostly_no_data"}
    ),
    "box scores": frozenset({"games_incomplete", "source_late"}),
    "handoff": frozenset({"files_missing", "table_gone", "cannot_publish", "phase2_silent"}),
    "cleanup": frozenset({"no_cleanup", "cleanup_says", "cleanup_blind"}),
}
"""The kinds of findings that belong to each part of the day."""


@dataclass
class Part:
    """One part: ``says`` is what there is, ``wrong`` what is not as it should be, each with the next command."""

    name: str
    says: str
    verdict: Verdict = Verdict.HEALTHY
    wrong: list[tuple[str, str]] = field(default_factory=list)


def run_status(day: date | None, as_of: datetime | None, *, as_json: bool) -> int:
    """Print every part; return 0, 1 degraded, 2 unhealthy, or 3 when a part cannot be known and no other is worse."""
    loaded, problem = in_use()
    config, now = loaded.config, as_of or datetime.now(UTC)
    day = day or current_day(config, now)
    parts = [*_day_parts(config, day, now, problem), _part("outbox", _outbox), _part("scraper service", _service)]
    parts.append(_part("Airflow", _airflow))
    order = (Verdict.HEALTHY, Verdict.UNKNOWN, Verdict.DEGRADED, Verdict.UNHEALTHY)
    worst = max((part.verdict for part in parts), key=order.index)
    if as_json:
        seen = {"date": day.isoformat(), "as_of": et(now).isoformat(), "verdict": worst.value}
        seen["mode"] = config.settings.mode.value
        print(json.dumps({**seen, "parts": [asdict(part) for part in parts]}, indent=2))
    else:
        print(f"{worst.value}: {day:%a %d %b %Y}, seen at {et(now):%a %d %b %H:%M} ET")
        if note := shadow_note(config, day):
            print(note)
        for part in parts:
            _print(part)
    return worst.exit_code


def _print(part: Part) -> None:
    print(f"{part.verdict.value:9} {part.name:16} {part.says}"[:WIDTH])
    for text, command in part.wrong:
        for line in textwrap.wrap(text, WIDTH - 12):
            print(f"{'':12}{line}")
        if command:
            # A command stays whole, however long: it is there to be copied.
            print(f"{'':12}next: {command}")


def _day_parts(config: Config, day: date, now: datetime, problem: str | None) -> Iterator[Part]:
    from orchestration.audit.facts import day_facts
    from orchestration.audit.statements import statement
    from orchestration.audit.warehouse import Warehouse, WarehouseError

    if day > current_day(config, now):
        yield Part("the day", "has not begun", Verdict.UNKNOWN)
        return
    warehouse = Warehouse(config.settings)
    try:
        facts = replace(day_facts(warehouse, config, day, now), broken_config=problem)
        failing = warehouse.query(statement("failing_scrapers"), {"first_date": day, "last_date": day})
        health = assess(config, facts, now)
    except WarehouseError as error:
        yield Part(
            "BigQuery", "unknown", Verdict.UNKNOWN, [(str(error), "airflow connections get google_cloud_default")]
        )
        return
    except Exception as error:
        yield Part("the day", "unknown", Verdict.UNKNOWN, [(in_short(error), "")])
        return
    for name, says in _numbers(facts, health).items():
        found = [finding for finding in health.findings if finding.kind in PARTS[name]]
        yield Part(name, says, _worst(found), [(finding.text, finding.command) for finding in found])
        if name == "calls":
            yield _failing(failing)


def _worst(found: Iterable[Finding]) -> Verdict:
    verdicts = {finding.verdict for finding in found}
    return next((v for v in (Verdict.UNHEALTHY, Verdict.DEGRADED) if v in verdicts), Verdict.HEALTHY)


def _numbers(facts: DayFacts, health: Health) -> dict[str, str]:
    decisions = Counter(d.action.value for d in facts.decisions)
    executions = Counter(e.status.value for e in facts.executions)
    calls = Counter(c.outcome.value for c in facts.calls)
    last = facts.last_cleanup
    handoff = f"{last.missing} of {last.checked} files missing at {clock(last.at)} ET" if last else "not looked at yet"
    sent = sum(cleanup.republished for cleanup in facts.cleanups)
    return {
        "locker": f"{len(facts.expected)} runs expected",
        "decisions": _counts(decisions, ("RUN", "SKIP", "ABORT")),
        "executions": _counts(executions, ("completed", "partial", "failed")),
        "calls": _counts(calls, ("success", "no_data", "failed")) + " (every try counts)",
        "box scores": f"{health.collected} of {health.games} games, {health.due} due",
        "handoff": handoff,
        "cleanup": f"{len(facts.cleanups)} times, {sent} messages sent again",
    }


def _counts(counter: Counter[str], words: Iterable[str]) -> str:
    return ", ".join(f"{counter[word]} {word}" for word in words)


def _failing(rows: list[dict[str, Any]]) -> Part:
    """Scrapers with failed tries; those that succeeded in the end are no more than shown."""
    failed = [row for row in rows if row["failed"]]
    shown = [
        (f"{row['scraper_name']}: {row['failed_tries']} failed tries, {row['failed']} lost: {row['sample_error']}", "")
        for row in rows[:5]
    ]
    says = f"{len(rows)} with a failed try, {len(failed)} lost a call"
    return Part("failing scrapers", says, Verdict.DEGRADED if failed else Verdict.HEALTHY, shown)


def _part(name: str, look: Callable[[str], Part]) -> Part:
    """Return what ``look`` finds. A part that cannot be looked at is UNKNOWN; the others are shown all the same."""
    try:
        return look(name)
    except Exception as error:
        return Part(name, "unknown", Verdict.UNKNOWN, [(in_short(error), "")])


def _outbox(name: str) -> Part:
    from orchestration.audit.outbox import Outbox

    outbox = Outbox()
    staged, refused = len(outbox.staged()), outbox.refused()
    part = Part(name, f"{staged} rows staged, {len(refused)} refused")
    if refused:
        part.verdict = Verdict.DEGRADED
        text = f"rows that BigQuery refused lie beside their errors in {outbox.url}/refused, such as {refused[0].name}"
        part.wrong.append((text, f"ls {outbox.url.removeprefix('file://')}/refused/*"))
    return part


def _service(name: str) -> Part:
    from orchestration.services.scraper_service import ScraperService

    problem = ScraperService().problem(SECONDS)
    if problem is None:
        return Part(name, "answers")
    return Part(name, "is down", Verdict.UNHEALTHY, [(problem, "airflow connections get scraper_service")])


def _airflow(name: str) -> Part:
    """What Airflow's own health page says; it needs no login."""
    from orchestration.alerts.channels import airflow_url
    from orchestration.services.airflow_health import NoHealthPage, components, ill

    try:
        found = components(airflow_url())
    except NoHealthPage as error:
        text = f"{error}; AIRFLOW__API__BASE_URL says where Airflow is"
        return Part(name, "unknown", Verdict.UNKNOWN, [(text, "")])
    healthy = [component for component, state in found.items() if state.get("status") == "healthy"]
    part = Part(name, ", ".join(healthy) or "nothing is well")
    for component, why in ill(found).items():
        part.verdict = Verdict.UNHEALTHY
        text = f"{component} is {found[component]['status']}: {why}"
        part.wrong.append((text, "airflow jobs check --limit 10 --allow-multiple"))
    return part
