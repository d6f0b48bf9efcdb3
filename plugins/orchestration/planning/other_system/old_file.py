"""Our ``workflows.yaml`` from that of the replaced system (lesson F16). Pure, except for one data file.

Every workflow and every scraper is kept. What the old file lacks comes from ``config/known_scrapers.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import yaml

from orchestration.config import loads
from orchestration.config.file import WorkflowsFile, allowed_keys
from orchestration.decisions.types import NAMES
from orchestration.decisions.types.discovery import DiscoveryWorkflow
from orchestration.errors import UserError
from orchestration.nba.eastern import NOON
from orchestration.vocabulary.scrapers import BUILT_IN
from orchestration.vocabulary.settings import SYSTEM_BEFORE
from orchestration.vocabulary.source import Path, parse
from orchestration.vocabulary.ticks import minutes_of
from orchestration.vocabulary.workflows import MORNING
from orchestration.words import FanOut, plural

THREADS = 8
"""The calls that the real service answers at a time. More would wait in it while their timeouts run."""
SETTINGS = {
    "mode": ("shadow", "decides and records beside the old system, and calls nothing. Write live to switch"),
    "audit_dataset": ("nba_phase1", "our own dataset: the old executor executes each RUN in its own (lesson A9)"),
    "history_dataset": (SYSTEM_BEFORE, "the old system's dataset, read as history"),
    "service_log": (f"{SYSTEM_BEFORE}.scraper_execution_log", "the service's log: files, and causes of failures"),
    "retries": (
        {"max_retries": 1, "first_delay_seconds": 5, "max_delay_seconds": 300},
        "the service tries a source 8 times itself, and each retry repeats that",
    ),
}
"""The settings that the old file lacks: values and reasons."""
TIMES = ("fixed_time", "fixed_times", "at", "times", "run_times")
"""Where a decision type that we do not have may name its times."""
TO_SET = (
    "settings.notifications.email_to: the people who get mails",
    "settings.topic: nba-phase1-scrapers-complete unless you write it; the service of November 2025 has "
    "nba-scraper-complete",
    "the addresses of the service and of BigQuery: the connections scraper_service and google_cloud_default",
)


@dataclass
class Imported:
    """The text of our file, what was decided, and what could not be known."""

    text: str = ""
    decided: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    to_set: tuple[str, ...] = TO_SET
    comments: dict[Path, list[str]] = field(default_factory=dict)
    lookback_days: int = 0

    def decide(self, path: Path, why: str) -> None:
        """Note a decision. The file has it as a comment above the key."""
        self.decided.append(f"{'.'.join(map(str, path))}: {why}")
        self.comments.setdefault(path, []).append(why)


@cache
def known() -> dict[str, Any]:
    """Return the facts about known scrapers and the slots of their pools."""
    text = (resources.files("orchestration.config") / "known_scrapers.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def imported(content: bytes, name: str) -> Imported:
    """Return our file for the old file's ``content``.

    Raises ConfigError if it is no YAML, UserError if it has no scrapers or no workflows.
    """
    old = parse(content, name).data
    scrapers, workflows = (old.get(key) if isinstance(old, dict) else None for key in ("scrapers", "workflows"))
    if not isinstance(scrapers, dict) or not isinstance(workflows, dict) or not workflows:
        raise UserError(
            f"{name}: no scrapers or no workflows", next_step="give the workflows.yaml of the system that you replace"
        )
    done = Imported()
    new = {
        "version": "2.0",
        "environment": old.get("environment", "production"),
        "scrapers": {key: _scraper(done, key, dict(value or {}), old) for key, value in scrapers.items()},
        "workflows": {key: _workflow(done, key, dict(value or {}), workflows) for key, value in workflows.items()},
    }
    new["settings"] = _settings(done, dict(old.get("settings") or {}), new)
    _plans(done, new)
    _attempts(done, new)
    head = [f"Written by `python -m orchestration import` from {name}. All times are ET.", "Not known; look at each:"]
    head += [f"* {line}" for line in (*done.unknown, *done.to_set)]
    done.text = "\n".join([*(f"# {line}" for line in head), *_lines(new, done.comments, ())]) + "\n"
    loads(done.text, "workflows.yaml")
    return done


def _keep_allowed(done: Imported, path: Path, values: dict[str, Any], model_path: tuple[str, ...]) -> dict[str, Any]:
    """Return the values without keys that our file does not have."""
    allowed = allowed_keys(WorkflowsFile, model_path)
    for key in [key for key in values if key not in allowed]:
        shown = yaml.safe_dump(values.pop(key), default_flow_style=True, width=10**6).removesuffix("\n...\n").strip()
        where = ".".join(map(str, path))
        done.unknown.append(f"{where}.{key}: has no meaning here and is left out (it was {shown[:80]})")
        done.comments.setdefault(path, []).append(f"left out: {key} ({shown[:80]})")
    return values


def _scraper(done: Imported, name: str, values: dict[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    path: Path = ("scrapers", name)
    _keep_allowed(done, path, values, ("scrapers", name))
    facts = known()["scrapers"].get(name)
    if facts is None:
        if not values.get("processed_in"):
            done.unknown.append(f"scrapers.{name}: its table (processed_in), parameters, pool and for_each")
            done.comments.setdefault(path, []).append("not known here: its table, parameters, pool and for_each")
        return values
    if (unsure := known()["unsure"].get(name)) and "processed_in" not in values:
        done.unknown.append(f"scrapers.{name}: {unsure}")
    fan_out, parameters = BUILT_IN[name]
    new = {key: value for key, value in facts.items() if key not in values}
    worst = facts["estimated_duration_seconds"]
    if values.get("estimated_duration_seconds", worst) < worst:
        was = values["estimated_duration_seconds"]
        new["estimated_duration_seconds"] = worst
        done.decide((*path, "estimated_duration_seconds"), f"was {was}, but a blocked or late source takes {worst} s")
    timeouts = (old.get("settings") or {}).get("scraper_timeouts") or {}
    own = (timeouts.get("overrides") or {}).get(name, timeouts.get("default", 180))
    if own >= facts["timeout_seconds"]:
        new.pop("timeout_seconds", None)
    elif "timeout_seconds" in new:
        done.decide((*path, "timeout_seconds"), f"leaves the service's own tries the time to end ({worst} s)")
    if fan_out is not FanOut.NOTHING and "for_each" not in values:
        new["for_each"] = fan_out.value
        done.decide((*path, "for_each"), f"one call for each {fan_out.value}")
    new |= {} if "parameters" in values else {"parameters": parameters}
    why = {
        "processed_in": "the table that takes the files: the cleanup follows them there",
        "game_column": "a game is in when this column of the table has it",
        "keeps_paths": "which files' paths the table keeps",
        "calls_per_task": "one task makes several calls, at a time as many as the pool has slots",
        "expects": "what a good answer holds",
        "pool": "limits the calls to one source",
    }
    for key in (one for one in why if one in new):
        done.decide((*path, key), why[key])
    return {**values, **new}


def _workflow(done: Imported, name: str, values: dict[str, Any], workflows: Mapping[str, Any]) -> dict[str, Any]:
    path: Path = ("workflows", name)
    schedule = dict(values.get("schedule") or {})
    kind = values.get("decision_type")
    if kind not in NAMES:
        schedule = _unknown_type(done, path, values, schedule)
        kind = values["decision_type"]
    _keep_allowed(done, (*path, "schedule"), schedule, ("workflows", name, kind, "schedule"))
    fixed = schedule.get("fixed_time")
    if kind == "game_aware_yesterday" and fixed is not None:
        minutes, target = _minutes(fixed), schedule.get("target_date", "yesterday")
        if target == "yesterday" and not minutes_of(MORNING) <= minutes < minutes_of(NOON):
            schedule["target_date"] = "slate"
            why = "was yesterday: the games of the night. Before midnight, yesterday would be the night before"
            done.decide((*path, "schedule", "target_date"), why)
    values["schedule"] = schedule
    _keep_allowed(done, path, values, ("workflows", name, kind))
    depends = dict(values.get("dependencies") or {})
    for key in ("requires", "required_for"):
        given = depends.get(key) or []
        names = [given] if isinstance(given, str) else list(given)
        if gone := [other for other in names if other not in workflows]:
            depends[key] = [other for other in names if other in workflows]
            done.decide((*path, "dependencies"), f"{key} named {', '.join(gone)}, which is no workflow")
    if depends:
        values["dependencies"] = {key: value for key, value in depends.items() if value}
    return values


def _unknown_type(done: Imported, path: Path, values: dict[str, Any], schedule: dict[str, Any]) -> dict[str, Any]:
    """Return the schedule of a decision type that we do not have, and set the type that does its work."""
    old_type = values.get("decision_type")
    times = next((schedule[key] for key in TIMES if schedule.get(key)), None)
    if times is None and old_type == "bdl_catchup":
        times = ["10:00", "14:00", "18:00"]
    if times is None:
        values["enabled"] = False
        done.unknown.append(f"{'.'.join(map(str, path))}: decision_type {old_type}, and no time; it is switched off")
        times = ["10:00"]
    new = {"target_date": "yesterday", "at": times, "condition": "any_game"}
    if isinstance(schedule.get("tolerance_minutes"), int):
        new["tolerance_minutes"] = schedule["tolerance_minutes"]
    why = f"was {old_type}: fetches the last night's data again at fixed times, if the night had games. "
    values["decision_type"] = "cron_with_condition"
    done.decide((*path, "decision_type"), f"{why}Older nights: settings.reconcile.days")
    done.lookback_days = max(done.lookback_days, int(schedule.get("lookback_days") or 0))
    return new


def _minutes(wall: Any) -> int:
    hour, _, minute = str(wall).partition(":")
    return int(hour) * 60 + int(minute or 0)


def _settings(done: Imported, values: dict[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    _keep_allowed(done, ("settings",), values, ("settings",))
    for key, (value, why) in SETTINGS.items():
        if key not in values:
            values[key] = value
            done.decide(("settings", key), why)
    wanted = {s["pool"] for s in new["scrapers"].values() if s.get("pool")} - set(values.get("pools") or {})
    pools = {name: slots for name, slots in known()["pools"].items() if name in wanted} | (values.get("pools") or {})
    while sum(pools.values()) > THREADS and max(pools.values()) > 1:
        # Of the largest pools the last, because most calls go to the first source.
        pools[max(reversed(pools), key=lambda name: pools[name])] -= 1
    if pools:
        values["pools"] = pools
        why = f"the slots of each source, together {sum(pools.values())}: the service has {THREADS} threads"
        done.decide(("settings", "pools"), why)
    overrides = (values.get("scraper_timeouts") or {}).get("overrides") or {}
    scrapers = new["scrapers"]
    for name in [name for name in overrides if name not in scrapers or "timeout_seconds" in scrapers[name]]:
        was = overrides.pop(name)
        done.decide(("settings", "scraper_timeouts"), f"{name}: {was} s left out, see its timeout_seconds")
    return values


def _plans(done: Imported, new: dict[str, Any]) -> None:
    """Let no step of critical scrapers wait for one that is not critical, and look back as far as catch-ups did."""
    scrapers, days = new["scrapers"], done.lookback_days
    for name, workflow in new["workflows"].items():
        plan = workflow.get("execution_plan") or {}
        for key, step in plan.items():
            if not isinstance(step, dict) or not step.get("depends_on"):
                continue
            needs = step["depends_on"] if isinstance(step["depends_on"], list) else [step["depends_on"]]
            critical = [s for s in step.get("scrapers", []) if scrapers.get(s, {}).get("critical", True)]
            loose = [one for one in needs if not scrapers.get(one, {}).get("critical", True)]
            if critical and loose and len(loose) < len(needs):
                step["depends_on"] = [one for one in needs if one not in loose]
                why = f"{', '.join(loose)} is not critical, and without it {', '.join(critical)} would not be called"
                done.decide(("workflows", name, "execution_plan", key, "depends_on"), why)
    if days > 2:
        new["settings"]["reconcile"] = {**(new["settings"].get("reconcile") or {}), "days": min(days, 14)}
        done.decide(("settings", "reconcile"), f"looks back {plural(days, 'day')}, as the old catch-up did")
    used = {one for w in new["workflows"].values() for one in _called(w.get("execution_plan") or {})}
    for name in scrapers:
        if name not in used:
            done.decide(("scrapers", name), "no workflow calls this scraper (other jobs may: 08-taking-over)")


def _called(plan: Mapping[str, Any]) -> Iterator[str]:
    for step in [plan, *(one for one in plan.values() if isinstance(one, dict))]:
        names = step.get("scrapers") or step.get("scraper") or []
        yield from [names] if isinstance(names, str) else names


def _attempts(done: Imported, new: dict[str, Any]) -> None:
    """Write the most attempts that a day has, where the old file has more."""
    text = "\n".join(_lines(new, {}, ()))
    config = loads(text, "workflows.yaml").config
    for name, workflow in config.workflows.items():
        if not isinstance(workflow, DiscoveryWorkflow):
            continue
        most, was = workflow.most_attempts(config.ticks_of(name)), workflow.schedule.max_attempts_per_day
        if was <= most:
            continue
        schedule = new["workflows"][name]["schedule"]
        schedule["max_attempts_per_day"] = most
        every = workflow.schedule.retry_interval_hours
        why = f"was {was}, which no day reaches: with one every {every:g} h it has {most}"
        done.decide(("workflows", name, "schedule", "max_attempts_per_day"), why)


def _lines(value: Mapping[str, Any], comments: Mapping[Path, list[str]], path: Path) -> Iterator[str]:
    """Yield the lines of a mapping as YAML, each comment above its key."""
    indent = "  " * len(path)
    for key, one in value.items():
        here = (*path, key)
        if len(here) == 1:
            yield ""
        yield from (f"{indent}# {line}" for line in comments.get(here, ()))
        deep = any(other[: len(here)] == here and other != here for other in comments)
        if isinstance(one, dict) and one and (deep or (len(here) < 3 and key != "pools")):
            yield f"{indent}{_scalar(key)}:"
            yield from _lines(one, comments, here)
        else:
            yield f"{indent}{_scalar(key)}: {_scalar(one)}"


def _scalar(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...")
