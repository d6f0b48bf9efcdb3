"""make docs: docs/orchestration/12-alerts.md, every kind of finding and alert. A test keeps the page current."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "plugins")]

from orchestration.health.findings import AlertedBy, FindingKind
from orchestration.health.kinds import KINDS
from orchestration.vocabulary.settings import Notifications
from orchestration.words import AlertLevel

PAGE = ROOT / "docs" / "orchestration" / "12-alerts.md"
IN_COMMANDS = {
    "day": "DATE", "workflow": "WORKFLOW", "caller": "WORKFLOW", "scraper": "SCRAPER", "run_id": "RUN_ID",
}  # fmt: skip
STATUS = ("bin/orchestration/check_system_status.sh", "bin/orchestration/check_system_status.sh --date {day}")
"""The first command of the entries that name none."""
LOUD = (AlertLevel.CRITICAL, AlertLevel.WARNING)

HEAD = """# Alerts and findings

What the health check can find and an alert can say: level, task that alerts, text, first command. `make docs` makes
this page from `health/kinds.py`. [Who is alerted](02-phase1-overview.md#who-is-alerted), and [when an alert is
over](01-how-it-works.md#alerts).

{channels},
unless `settings.notifications` or `settings.alerts` says otherwise. `alerts.…` is the level that the workflow sets in
`workflows.yaml`. In the health check CRITICAL makes a day UNHEALTHY and WARNING makes it DEGRADED.
"The health check only": a task alerts about the fault in other words. Without a task it is `cleanup.watch`, without a
command `bin/orchestration/check_system_status.sh`. Values stand for ‹…› and for words in capitals.

"""


def level(kind: FindingKind) -> str:
    """Return the level of a kind, in the words of the page."""
    if kind.alerts_key is not None:
        return f"`alerts.{kind.alerts_key}`" + (", at least WARNING" if kind.level is AlertLevel.WARNING else "")
    return "CRITICAL or WARNING" if kind.or_warning else kind.level.value


def command(kind: FindingKind) -> str:
    """Return the first command of a kind, with a word in capitals for each value that an alert fills in."""
    return re.sub(r"{(\w+)}", lambda name: IN_COMMANDS[name[1]], kind.command)


def example(command: str) -> str:
    """Return a command of the page with example values, as an alert would contain it."""
    values = {
        "DATE": "2026-01-14",
        "WORKFLOW": "betting_lines",
        "SCRAPER": "oddsa_events",
        "RUN_ID": "scheduled__2026-01-14T18:00:00+00:00",
    }
    for name, value in values.items():
        command = command.replace(name, value)
    return command


def row(kind: FindingKind) -> str:
    """Return the entry of a kind, or of a second sentence of one: its text, then its first command."""
    by = {AlertedBy.HEALTH_ONLY: f", {AlertedBy.HEALTH_ONLY}", AlertedBy.WATCH: ""}
    task = by.get(kind.alerted_by, f", `{kind.alerted_by}`")
    text = f"{kind.example} (an example)" if kind.example else re.sub(r"{(\w+)}", r"‹\1›", kind.text)
    first = f"\\\n  `{command(kind)}`" if kind.command and kind.command not in STATUS else ""
    return f"* `{kind.id}` ({level(kind)}{task}): {text}{first}"


def _channels(loud: AlertLevel) -> str:
    return ", ".join(channel.name for channel in Notifications().channels() if loud in channel.levels)


def page() -> str:
    """Return the page."""
    channels = "; ".join(f"{loud.value} alerts go to {_channels(loud)}" for loud in LOUD)
    return HEAD.format(channels=channels) + "\n".join(sorted(map(row, KINDS))) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")
