"""``backtest``: what a configuration decides on the recorded past, beside what was decided."""

from __future__ import annotations

import json
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from orchestration.config import load
from orchestration.nba.eastern import day_and_time
from orchestration.planning.what_if.backtest import Again, decided_again, left_out, within
from orchestration.records.tables import DecisionRecord
from orchestration.words import AlertLevel, plural

UNKNOWN = 2
MOST_DAYS = 31
MOST_SHOWN = 20
WIDTH = 79


def run_backtest(first: date, last: date, file: str | None, *, as_json: bool) -> int:
    """Decide again what is on record of the orchestration days ``first`` to ``last``. Prints what is not the same.

    Returns 0 when all is the same, 1 when something is not, 2 when there is nothing on record or it cannot be read.
    """
    from orchestration.audit.recorded import recorded_past
    from orchestration.audit.warehouse import Warehouse, WarehouseError

    if not 0 <= (last - first).days < MOST_DAYS:
        return _unknown(f"from {first} to {last} must be 1 to {MOST_DAYS} days")
    config = load(file).config
    start, end = config.day_bounds(first)[0], config.day_bounds(last)[1]
    try:
        past = recorded_past(Warehouse(config.settings), config, start, end)
    except WarehouseError as error:
        return _unknown(str(error))
    here = within(past.decisions, start, end)
    if not here:
        return _unknown(f"there is no decision on record in {config.settings.audit_dataset} from {first} to {last}")
    if not (again := list(decided_again(config, past, start, end))):
        why = ", ".join(f"{count} {why}" for why, count in _left_out(here).items())
        return _unknown(f"none of the decisions from {first} to {last} can be made again: {why}")
    other = [one for one in again if one.differs]
    if as_json:
        data = {"decisions": len(here), "left_out": _left_out(here), "same": len(again) - len(other)}
        print(json.dumps({**data, "other": [_object(one) for one in other]}, indent=2, ensure_ascii=False))
    else:
        _print(here, again, other)
    return int(bool(other))


def _unknown(why: str) -> int:
    print(f"backtest: {why}", file=sys.stderr)
    return UNKNOWN


def _left_out(decisions: Sequence[DecisionRecord]) -> dict[str, int]:
    """Return how many decisions cannot be made again, by why."""
    return dict(Counter(why for one in decisions if (why := left_out(one))))


def _print(here: Sequence[DecisionRecord], again: Sequence[Again], other: Sequence[Again]) -> None:
    left_out = "".join(f", {count} left out ({why})" for why, count in _left_out(here).items())
    found = f"{plural(len(here), 'decision')} on record: {len(again) - len(other)} the same, {len(other)} not{left_out}"
    print(textwrap.fill(found, WIDTH))
    for one in other[:MOST_SHOWN]:
        print(f"{day_and_time(one.then.tick)} {one.then.workflow_name}: other {', '.join(one.differs)}")
        now = "it is not in the file, or off" if one.again is None else f"{one.again.action.value} {one.again.reason}"
        for side, says in (("then", f"{one.then.action.value} {one.then.reason}"), ("now", now)):
            print(textwrap.fill(f"{side + ':':5} {says}", WIDTH, initial_indent="  ", subsequent_indent="    "))
    if len(other) > MOST_SHOWN:
        print(f"and {len(other) - MOST_SHOWN} more; --json has all")


def _object(one: Again) -> dict[str, Any]:
    then, again = one.then, one.again
    return {
        "workflow": then.workflow_name,
        "tick": then.tick.isoformat(),
        "differs": list(one.differs),
        "then": {
            "action": then.action.value,
            "rule": then.rule,
            "reason": then.reason,
            "alert_level": (then.alert_level or AlertLevel.NONE).value,
            "target_date": then.target_date.isoformat(),
            "target_games": sorted(then.target_games),
            "scrapers": list(then.scrapers_triggered),
        },
        "now": None if again is None else {key: value for key, value in again.to_dict().items() if key in _SHOWN},
    }


_SHOWN = ("action", "rule", "reason", "alert_level", "target_date", "target_games", "scrapers")
