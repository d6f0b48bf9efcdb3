"""``status``: the verdict on each part of the system, with the next command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from orchestration.audit.facts import facts_as_of
from orchestration.audit.outbox import Outbox
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cli.app import LAST_NIGHT, AsJson, AsOf, Day, command
from orchestration.cli.health import shadow_note
from orchestration.cli.screen import grid, show, show_object, unknown
from orchestration.config import Config
from orchestration.config.last_good import in_use
from orchestration.health.facts import DayFacts
from orchestration.health.findings import CLEANUP_PATIENCE, Part
from orchestration.health.verdict import Health, assess
from orchestration.nba.eastern import clock, et
from orchestration.services.errors import in_short
from orchestration.services.scraper_service import ScraperService
from orchestration.words import Verdict, plural

SECONDS = 5
SEVERITY = (Verdict.HEALTHY, Verdict.UNKNOWN, Verdict.DEGRADED, Verdict.UNHEALTHY)


@dataclass
class StatusPart:
    """One part of the system. ``says``: the part's numbers. ``wrong``: its faults, each with the next command."""

    name: str
    says: str
    verdict: Verdict = Verdict.HEALTHY
    wrong: list[tuple[str, str]] = field(default_factory=list)


@command("status", LAST_NIGHT, "", "--date 2026-01-14")
def status(day: Day = None, as_of: AsOf = None, as_json: AsJson = False) -> int:
    """Show each part of the system with its verdict.

    Below a part that is not well, it shows the faults and the command to type next.

    The worst part gives the exit code. A part that cannot be seen is UNKNOWN and hides no other part.
    """
    loaded, problem = in_use()
    config, now = loaded.config, as_of or datetime.now(UTC)
    day = day or config.current_day(now)
    parts = [*_day_parts(config, day, as_of, problem), _part("outbox", _outbox), _part("scraper service", _service)]
    parts.append(_part("Airflow", _airflow))
    parts += _deadlines(config)
    worst = _worst(part.verdict for part in parts)
    if as_json:
        seen = {"date": day, "as_of": et(now), "verdict": worst, "mode": config.settings.mode}
        if worst is Verdict.UNKNOWN:
            first = next(part for part in parts if part.verdict is worst)
            seen |= unknown(*first.wrong[0] if first.wrong else (f"{first.name} {first.says}", ""))
        show_object({**seen, "parts": [asdict(part) for part in parts]})
    else:
        print(f"{worst.value}: {day:%a %d %b %Y}, seen at {et(now):%a %d %b %H:%M} ET")
        if note := shadow_note(config, day):
            print(note)
        for part in parts:
            _print(part)
    return worst.exit_code


def _print(part: StatusPart) -> None:
    line = grid(9, 16, 0)
    line.add_row(part.verdict.value, part.name, part.says)
    show(line)
    for text, first_command in part.wrong:
        below = grid(11, 0)
        below.add_row("", text)
        show(below)
        if first_command:
            # A command stays on one line, so that it can be copied.
            print(f"            next: {first_command}")


def _day_parts(config: Config, day: date, as_of: datetime | None, problem: str | None) -> Iterator[StatusPart]:
    now = as_of or datetime.now(UTC)
    if day > config.current_day(now):
        yield StatusPart("the day", "has not begun", Verdict.UNKNOWN)
        return
    warehouse = Warehouse(config.settings)
    try:
        facts = replace(facts_as_of(warehouse, config, day, as_of), broken_config=problem)
        failing = warehouse.query(statement("failing_scrapers"), {"first_date": day, "last_date": day})
        health = assess(config, facts, now)
    except WarehouseError as error:
        wrong = [(str(error), "airflow connections get google_cloud_default")]
        yield StatusPart("BigQuery", "unknown", Verdict.UNKNOWN, wrong)
        return
    except Exception as error:
        yield StatusPart("the day", "unknown", Verdict.UNKNOWN, [(in_short(error), "")])
        return
    for name, says in _numbers(facts, health, now).items():
        found = [finding for finding in health.findings if finding.of.part is name]
        wrong = [(finding.text, finding.command) for finding in found]
        yield StatusPart(name.value, says, _worst(finding.verdict for finding in found), wrong)
        if name is Part.CALLS:
            yield _failing(failing)


def _worst(verdicts: Iterable[Verdict]) -> Verdict:
    return max(verdicts, key=SEVERITY.index, default=Verdict.HEALTHY)


def _numbers(facts: DayFacts, health: Health, now: datetime) -> dict[Part, str]:
    decisions = Counter(d.action.value for d in facts.decisions)
    executions = Counter(e.status.value for e in facts.executions)
    calls = Counter(c.status.value for c in facts.calls)
    last = facts.last_cleanup
    handoff = "not checked yet"
    if last:
        handoff = f"{last.missing_files_found} of {last.files_checked} files missing at {clock(last.cleanup_time)} ET"
    if left := facts.open_files(now):
        handoff += f", {plural(len(left), 'older file')} never arrived"
    sent = sum(cleanup.republished_count for cleanup in facts.cleanups)
    return {
        Part.LOCKER: f"{plural(len(facts.expected), 'run')} expected",
        Part.DECISIONS: _counts(decisions, ("RUN", "SKIP", "ABORT")),
        Part.EXECUTIONS: _counts(executions, ("completed", "partial", "failed")),
        Part.CALLS: _counts(calls, ("success", "no_data", "failed")) + " (every try counts)",
        Part.BOX_SCORES: health.box_scores,
        Part.HANDOFF: handoff,
        Part.CLEANUP: f"{plural(len(facts.cleanups), 'run')}, {plural(sent, 'message')} sent again",
    }


def _counts(counter: Counter[str], words: Iterable[str]) -> str:
    return ", ".join(f"{counter[word]} {word}" for word in words)


def _failing(rows: list[dict[str, Any]]) -> StatusPart:
    """Return the part about scrapers with failed tries. Only a lost call makes it DEGRADED."""
    failed = [row for row in rows if row["failed"]]
    shown = [
        (f"{row['scraper_name']}: {row['failed_tries']} failed tries, {row['failed']} lost: {row['sample_error']}", "")
        for row in rows[:5]
    ]
    says = f"{len(rows)} with a failed try, {len(failed)} lost a call"
    return StatusPart("failing scrapers", says, Verdict.DEGRADED if failed else Verdict.HEALTHY, shown)


def _part(name: str, look: Callable[[str], StatusPart]) -> StatusPart:
    """Return the part that ``look`` finds, or an UNKNOWN part if the look fails."""
    try:
        return look(name)
    except Exception as error:
        return StatusPart(name, "unknown", Verdict.UNKNOWN, [(in_short(error), "")])


def _outbox(name: str) -> StatusPart:
    outbox = Outbox()
    (staged, since), refused = outbox.waiting(), outbox.refused()
    says = f"{plural(staged, 'row')} staged, {len(refused)} refused"
    if not refused and since is not None and datetime.now(UTC) - since > CLEANUP_PATIENCE:
        text = f"Rows have waited in {outbox.url} since {et(since):%a %d %b %H:%M} ET, and no cleanup has sent them"
        text += ". The DAG cleanup is paused, or runs on a worker with another outbox"
        return StatusPart(name, says, Verdict.DEGRADED, [(text, "airflow dags unpause cleanup")])
    if not refused:
        return StatusPart(name, says)
    text = f"BigQuery refused rows. {outbox.url}/refused has the rows and errors, for example {refused[0].name}"
    return StatusPart(name, says, Verdict.DEGRADED, [(text, f"ls {outbox.url.removeprefix('file://')}/refused/*")])


def _service(name: str) -> StatusPart:
    problem = ScraperService().problem(SECONDS)
    if problem is None:
        return StatusPart(name, "answers")
    return StatusPart(name, "is down", Verdict.UNHEALTHY, [(problem, "airflow connections get scraper_service")])


def _airflow(name: str) -> StatusPart:
    """Return the part about Airflow's components. It comes from Airflow's health page, which needs no login."""
    from orchestration.operators.inspection import NoHealthPage, components, unhealthy

    try:
        found = components()
    except NoHealthPage as error:
        text = f"{error}. Set AIRFLOW__API__BASE_URL to the address of Airflow"
        return StatusPart(name, "unknown", Verdict.UNKNOWN, [(text, "")])
    healthy = [component for component, state in found.items() if state.get("status") == "healthy"]
    part = StatusPart(name, ", ".join(healthy) or "no component is healthy")
    for component, why in unhealthy(found).items():
        part.verdict = Verdict.UNHEALTHY
        text = f"{component} is {found[component]['status']}: {why}"
        part.wrong.append((text, "airflow jobs check --limit 10 --allow-multiple"))
    return part


def _deadlines(config: Config) -> Iterator[StatusPart]:
    """Yield the part about the alerts of missed deadlines, if they cannot be sent at once."""
    from orchestration.alerts.channels import not_set_up
    from orchestration.alerts.deadlines import only_in_database, where_to_put

    if names := only_in_database(not_set_up(config).values()):
        wrong = [(where_to_put(names), "")]
        yield StatusPart("deadline alerts", "are sent by the watchdog", Verdict.HEALTHY, wrong)
