"""Facts of nights for the tests of the pages, with runs, files and reasons."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import yaml

from orchestration.config import Config, loads
from orchestration.decisions.model import History
from orchestration.health.facts import DayFacts
from orchestration.nba.games import Schedule
from orchestration.nba.league import TEAMS
from orchestration.planning.calls import planned_calls
from orchestration.planning.day import plan
from orchestration.words import Action, ExecutionStatus, Outcome
from support.records import a_call, a_cleanup, a_decision, an_execution, expected_run, replace
from support.worlds import DAY, ROOT, as_seen, et, game, locked, ours, schedule

HOSTILE = "<script>alert('x')</script>\u202egnp.exe\x00" + "A" * 10_000
"""Hostile text that an error, a reason or a status may contain."""
MORNING = et("+1 06:25")


def slate(count: int = 12, day: date = DAY, **more: Any) -> Schedule:
    games = [game(n, f"{18 + n % 5}:{n % 2 * 3}0", day, **more) for n in range(1, count + 1)]
    pairs = [TEAMS[2 * n : 2 * n + 2] for n in range(count)]
    return schedule(
        *[
            replace(one, away=away.tricode, home=home.tricode, code=f"{day:%Y%m%d}/{away.tricode}{home.tricode}")
            for one, (away, home) in zip(games, pairs, strict=True)
        ]
    )


def night(
    config: Config | None = None, games: Schedule | None = None, day: date = DAY, until: datetime | None = None,
    *, linked: bool = False,
):  # fmt: skip
    """Return a day on which everything went as planned until ``until``.

    ``linked``: each call names its decision, as in a real record. Then rows that a test takes away are noticed.
    """
    config, games = config or ours(), games or slate(day=day)
    until = until or et("+1 06:25", day)
    start, end = config.day_bounds(day)
    decisions = list(plan(config, start, end, games, History()))
    made = [d for d in decisions if d.tick <= until]
    runs = [d for d in made if d.action is Action.RUN]

    def outcome(call, d):
        return Outcome.SUCCESS if call.item.game is None or d.tick >= call.item.game.due else Outcome.NO_DATA

    return DayFacts(
        day,
        locked(games, day, now=as_seen(games, until)),
        tuple(expected_run(d.workflow, d.tick, d.reason) for d in decisions if d.action is Action.RUN),
        tuple(
            a_decision(
                d.workflow, d.tick, d.action, d.rule, d.reason, target_date=d.target_date,
                next_check_time=d.next_check_time,
            )
            for d in made
        ),
        tuple(
            an_execution(
                d.workflow, d.tick, d.target_date, sum(1 for _ in planned_calls(config, d)),
                decision_id=f"{d.workflow} {d.tick}", duration_seconds=9 * 60,
            )
            for d in runs
        ),
        tuple(
            a_call(
                c.scraper, d.workflow, d.tick, d.target_date, outcome(c, d), c.item.game and c.item.game.game_id,
                map_index=index, label=c.label, gcs_path=f"gs://files/{c.scraper}/{d.tick:%H}-{index}.json",
                triggered_at=d.tick + timedelta(minutes=6), decision_id=f"{d.workflow} {d.tick}" if linked else None,
            )
            for d in runs
            for index, c in enumerate(planned_calls(config, d))
        ),
        tuple(a_cleanup(t) for t in config.cleanup_ticks.between(start, until)),
    )  # fmt: skip


def with_execution(facts: DayFacts, workflow: str, **changes: Any) -> DayFacts:
    """Return the day with changes to the last execution of ``workflow``."""
    last = max((e for e in facts.executions if e.workflow_name == workflow), key=lambda e: e.tick)
    return replace(facts, executions=tuple(replace(e, **changes) if e is last else e for e in facts.executions))


def with_decisions(facts: DayFacts, workflow: str, tick: datetime, **changes: Any) -> DayFacts:
    """Return the day with changes to the decision of ``workflow`` at ``tick``."""
    return replace(
        facts,
        decisions=tuple(
            replace(d, **changes) if (d.workflow_name, d.tick) == (workflow, tick) else d for d in facts.decisions
        ),
    )


def without(facts: DayFacts, workflow: str, *ticks: datetime) -> DayFacts:
    """Return the day without any record of ``workflow`` at these ticks."""
    gone = {(workflow, tick) for tick in ticks}
    return replace(
        facts,
        decisions=tuple(d for d in facts.decisions if (d.workflow_name, d.tick) not in gone),
        executions=tuple(e for e in facts.executions if (e.workflow_name, e.tick) not in gone),
        calls=tuple(c for c in facts.calls if (c.workflow, c.tick) not in gone),
    )


def blocked(facts: DayFacts, *scrapers: str) -> DayFacts:
    """Return the day with a blocked source: every call of these ``scrapers`` failed, and so did their executions."""
    hit = {c.workflow for c in facts.calls if c.scraper_name in scrapers}
    return replace(
        facts,
        calls=tuple(
            replace(c, status=Outcome.FAILED, error_type="blocked", error_message="HTTP 403: go away", gcs_path=None)
            if c.scraper_name in scrapers
            else c
            for c in facts.calls
        ),
        executions=tuple(
            replace(e, status=ExecutionStatus.FAILED, error_message=f"{scrapers[0]}: blocked")
            if e.workflow_name in hit
            else e
            for e in facts.executions
        ),
    )


def many(count: int) -> Config:
    """Return a configuration with ``count`` workflows: copies of ours under other names."""
    data = yaml.safe_load((ROOT / "config" / "workflows.yaml").read_text())
    models = [w for w in data["workflows"].items() if not w[1].get("dependencies")]
    numbered = ((f"{models[n % len(models)][0]}_{n:03d}", models[n % len(models)][1]) for n in range(count))
    data["workflows"] = dict(numbered)
    return loads(yaml.safe_dump(data)).config
