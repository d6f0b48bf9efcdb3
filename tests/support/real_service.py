"""The answers of the real scraper service, as recorded in tests/support/data/real-service.json.

The service was recorded in two states: NOV (November 2025) and HEAD (July 2026).
"""

from __future__ import annotations

import json
import re
from typing import Any

from support.worlds import ROOT

RECORDED = json.loads((ROOT / "tests" / "support" / "data" / "real-service.json").read_text())
SCRAPERS: dict[str, dict[str, Any]] = RECORDED["scrapers"]
STATES = ("NOV", "HEAD")
NOTHING_YET_IS_AN_ERROR = frozenset(name for name, recorded in SCRAPERS.items() if recorded["nothing_yet"] == 500)
"""Scrapers that answer 500 when their source has no data yet; the others answer with a count of 0."""


def count_key(scraper: str, state: str, count: int = 1) -> str | None:
    """Return the key of ``data_summary`` that holds the count, or None if this state lacks the scraper."""
    recorded = SCRAPERS[scraper]
    return (not count and recorded.get(f"{state}_when_empty")) or recorded[state]


def answered(scraper: str, state: str, count: int) -> tuple[int, dict[str, Any]]:
    """Return status and body of the real service's answer after it found ``count`` records."""
    key = count_key(scraper, state, count)
    if key is None:
        return 400, body("unknown", scraper)
    if count == 0 and scraper in NOTHING_YET_IS_AN_ERROR:
        return 500, body("failure", scraper)
    summary = {key: count, **SCRAPERS[scraper].get("beside", {})}
    if also := SCRAPERS[scraper].get(f"{state}_also"):
        summary[also] = count
    if scraper == "oddsa_events" and count:
        summary["event_ids"] = [f"{number:032x}" for number in range(count)]
    return 200, {**body("success", scraper), "data_summary": summary}


def refused(scraper: str, state: str) -> tuple[int, dict[str, Any]]:
    """Return status and body of the real service's answer after the source refused to serve it."""
    if count_key(scraper, state) is None or SCRAPERS[scraper].get("blocked") == 200:
        return answered(scraper, state, 0)
    return 500, body("failure", scraper)


def body(situation: str, scraper: str) -> dict[str, Any]:
    """Return the recorded body for ``situation`` (success, failure, unknown), with the scraper's name in it."""
    return json.loads(json.dumps(RECORDED["bodies"][situation]).replace("SCRAPER", scraper))


def differences(recorded: tuple[int, dict[str, Any]], got: tuple[int, dict[str, Any]]) -> list[str]:
    """Return what distinguishes the shape of ``got`` from a recorded answer; an empty list if nothing does.

    The shape is the status, the keys, the types, and the texts that are the same in every answer.
    """
    (status, said), (got_status, got_said) = recorded, got
    if status != got_status:
        return [f"status {got_status}, recorded {status}"]
    found = _keys(said, got_said) if status != 200 else _keys(said, got_said) + _summary(said, got_said)
    for key in ("status", "message", "scraper", "error"):
        if key in said and said[key] != got_said.get(key):
            found.append(f"{key} is {got_said.get(key)!r}, recorded {said[key]!r}")
    if "run_id" in said and not re.fullmatch(r"[0-9a-f]{8}", str(got_said.get("run_id"))):
        found.append(f"run_id is {got_said.get('run_id')!r}, recorded as eight hexadecimal digits")
    return found


def _keys(said: dict[str, Any], got: dict[str, Any]) -> list[str]:
    found = [f"{key} is missing" for key in sorted({*said} - {*got})]
    found += [f"{key} was never recorded" for key in sorted({*got} - {*said})]
    wrong = [key for key in sorted({*said} & {*got}) if type(said[key]) is not type(got[key])]
    return found + [f"{key} is {type(got[key]).__name__}, recorded {type(said[key]).__name__}" for key in wrong]


def _summary(said: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """Compare ``data_summary``: exactly where all of it was recorded, else its counts and what it must not hold."""
    expected, summary = said["data_summary"], got.get("data_summary") or {}
    if "beside" in SCRAPERS[said["scraper"]]:
        return _keys(expected, summary)
    counts = {key for recorded in SCRAPERS.values() for state in STATES if (key := recorded[state])}
    special = counts | {"records", "event_ids", "gcs_path"}
    return _keys(expected, {key: value for key, value in summary.items() if key in special})
