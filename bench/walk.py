"""From opening Airflow to the cause of a seeded fault: seconds and clicks, with our page and without.

``bench/walk.py FAULT …`` plays the second half of a night with each fault through a real Airflow, opens it in Chromium
as somebody does at 06:10 ET, and walks both ways. The clicks are those of somebody who knows where to look; the seconds
are the browser's, and what a person reads in between comes on top.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugins"), str(ROOT / "include"), str(ROOT / "tests")]
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="orchestration-walk-"))

from rich.console import Console

from sandbox.demo import DEFAULT_DAY, Day, moments
from sandbox.faults import FAULTS
from sandbox.stack import Stack
from support.browser import CHROMIUM, HOW, browser
from support.days import some_ports
from support.standins import free_ports
from support.worlds import et

GAMES = 3
FROM, SEEN = "19:00", "+1 06:10"
"""When the night begins here, and when somebody looks: ET."""
PATIENCE = 60_000
SERVER = """
import sys
from datetime import datetime
from orchestration.ui.looking import Looks
Looks.clock = lambda self: datetime.fromisoformat({now!r})
from airflow.__main__ import main
sys.argv = ["airflow", "api-server", "--apps", "core", "--port", "{port}"]
main()
"""
"""Airflow's API server on a morning of the past: nothing but the pages' clock is ours."""


Step = tuple[str, float, int, str]
"""What was found, after how many seconds and clicks, and in which words."""


class Walk:
    """One walk: ``seconds`` and ``clicks`` since Airflow was opened."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.clicks = page, 0
        self.began = time.perf_counter()
        page.goto(url)

    @property
    def seconds(self) -> float:
        """Seconds since Airflow was opened."""
        return time.perf_counter() - self.began

    def click(self, place: Any) -> None:
        """Click once, as soon as it can be."""
        place.first.click()
        self.clicks += 1

    def see(self, place: Any, says: str) -> str:
        """Wait until a place says something; return it."""
        found = place.filter(has_text=re.compile(says)).first
        found.wait_for()
        return " ".join(found.inner_text().split())


def with_the_page(walk: Walk, says: str, proof: tuple[str | None, str, str]) -> list[Step]:
    """Airflow's home page has the cause; one click, or two, lead to what proves it."""
    said = walk.see(walk.page.locator("section[aria-label=Orchestration]"), says)
    found = [("the cause, on Airflow's home page", walk.seconds, walk.clicks, said)]
    walk.click(walk.page.locator("section[aria-label=Orchestration] a"))
    inner = walk.page.frame_locator("iframe[title=Orchestration]")
    opened, place, shown = proof
    if opened:
        walk.click(inner.locator(opened))
    said = walk.see(inner.locator(place), shown)
    return [*found, ("what proves it", walk.seconds, walk.clicks, said)]


def without(walk: Walk, dag_id: str, red: str, task: str, says: str) -> list[Step]:
    """Dags, the DAG, the red square of the task in the newest ``red`` run, and in its log the line that says it."""
    page = walk.page
    walk.click(page.get_by_role("link", name="Dags", exact=True))
    walk.click(page.locator(f"a[href$='/dags/{dag_id}']"))
    walk.click(page.locator(f"a[href$='/dags/{dag_id}/runs/{red}/tasks/{task}']"))
    said = walk.see(page.get_by_text(re.compile(says)), says)
    return [("a line in a log", walk.seconds, walk.clicks, re.sub(f".*?({says})", r"\1", said))]


WALKS: dict[str, tuple[str, tuple[str | None, str, str], tuple[str, str, str]]] = {
    "source_blocked": (
        "the source nba_com blocks us or answers nonsense",
        (".timeline a.k.failed", "td", "Max decode/download retries"),
        ("post_game_window_3", "finish", "DownloadDecodeMaxRetryException"),
    ),
    "phase2_dead": (
        "Phase 2 reads no messages",
        (None, ".cards div p", "had not reached their table"),
        ("cleanup", "republish_lost_files", "Needs a look"),
    ),
    "topic_gone": (
        "Pub/Sub takes no messages",
        (None, ".cards .note", "does not exist"),
        ("cleanup", "republish_lost_files", "Needs a look"),
    ),
}
"""By the fault: what the home page says; what to open on our page, and where it says what; DAG, task and log's line."""


def night(day: date) -> dict[datetime, list[str]]:
    """Return what ticks when, from the first evening of a system until somebody looks."""
    first, last = et(FROM, day).astimezone(UTC), et(SEEN, day).astimezone(UTC)
    return {moment: dags for moment, dags in moments(day).items() if first <= moment <= last}


@contextmanager
def morning(stack: Stack, day: date) -> Any:
    """Start an API server whose pages live on the morning after; hand over its address."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    code = SERVER.format(now=et(SEEN, day).isoformat(), port=port)
    env = {**stack.env, "AIRFLOW__API__PORT": str(port), "AIRFLOW__API__BASE_URL": url}
    with (stack.home / "morning.log").open("ab") as log:
        command = [sys.executable, "-c", code]
        stack.processes["morning"] = subprocess.Popen(  # noqa: S603  what it runs stands above
            command, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        stack._await("morning", f"{url}/api/v2/monitor/health", PATIENCE / 1000)
        yield url
    finally:
        stack.kill("morning")


def walked(url: str, steps: Callable[[Walk], list[Step]]) -> list[Step]:
    """Walk once with a new profile, so that nothing is cached; show where it got stuck."""
    with browser(viewport={"width": 1400, "height": 1000}) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        try:
            return steps(Walk(page, url))
        except Exception:
            page.screenshot(path=Path(tempfile.gettempdir()) / "walk-stuck.png")
            print(page.url, page.locator("body").aria_snapshot(), sep="\n")
            raise


def main() -> None:
    """Walk for the faults that are named, or for all three."""
    if CHROMIUM is None:
        sys.exit(f"walk: {HOW}")
    day = DEFAULT_DAY
    for fault in sys.argv[1:] or WALKS:
        says, proof, line = WALKS[fault]
        with tempfile.TemporaryDirectory() as home, Stack(Path(home), some_ports(), day=day, games=GAMES) as stack:
            player, timeline = Day(stack, Console(quiet=True), FAULTS[fault]), night(day)
            player.api.await_dags({dag for dags in timeline.values() for dag in dags}, 300)
            player.play(timeline)
            with morning(stack, day) as url:
                walked(url, lambda walk: [])  # the server has then loaded all that it serves
                runs = player.api.get(f"dags/{line[0]}/dagRuns", state="failed", order_by="-run_after")["dag_runs"]
                ways: dict[str, Callable[[Walk], list[Step]]] = {
                    "with the page": partial(with_the_page, says=says, proof=proof),
                    "without": partial(without, dag_id=line[0], red=runs[0]["dag_run_id"], task=line[1], says=line[2]),
                }
                for way, steps in ways.items():
                    for what, seconds, clicks, said in walked(url, steps):
                        print(
                            f"{fault:15} {way:14} {what:34} {seconds:5.1f} s {clicks} clicks: {said[:200]}", flush=True
                        )


if __name__ == "__main__":
    main()
