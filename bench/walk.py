"""make walk: seconds and taps from opening Airflow to the cause of a seeded fault, with and without our page.

A night with each fault is played through a real Airflow. Then Chromium opens it in a phone's window at a given hour.
The taps are those of a person who knows where to look, which favours the way without our page. Airflow and the browser
are measured; reading counts as ``READING_SECONDS`` for each screen.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugins"), str(ROOT / "include"), str(ROOT / "tests")]
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="orchestration-walk-"))

from rich.console import Console

from sandbox.day import Day, moments
from sandbox.demo import DEFAULT_DAY
from sandbox.faults import FAULTS
from sandbox.stack import Stack
from support.browser import CHROMIUM, HOW, browser
from support.days import some_ports
from support.ports import free_ports
from support.worlds import et

GAMES = 2
PHONE = {"width": 360, "height": 740}
READING_SECONDS = 5
"""Assumed seconds to read a screen and choose the next tap, the same for both ways."""
PATIENCE = 60_000
SERVER = """
import sys
from datetime import datetime
from orchestration.ui.data import PageData
PageData.clock = lambda self: datetime.fromisoformat({now!r})
from airflow.__main__ import main
sys.argv = ["airflow", "api-server", "--apps", "core", "--port", "{port}"]
main()
"""
"""Airflow's API server, with the clock of our pages set to a moment of the past."""


@dataclass(frozen=True)
class Fault:
    """A fault of the demo, with the ET times of the first played tick and of the walk.

    * ``home``: the words about the cause on Airflow's home page.
    * ``proof``: on our page the element to open, if any, the element with the evidence, and its words.
    * ``dag``, ``task``, ``line``: without our page, the task and the line of its log that name the cause.
    """

    first: str
    seen: str
    home: str
    proof: tuple[str | None, str, str]
    dag: str
    task: str
    line: str


WALKS = {
    "source_blocked": Fault(
        *("19:00", "+1 06:10", "The source nba_com blocks us or answers nonsense"),
        (".timeline a.k.failed", "td", "Max decode/download retries"),
        *("post_game_window_3", "finish", "DownloadDecodeMaxRetryException"),
    ),
    "service_down": Fault(
        *("19:00", "+1 06:10", "The scraper service is unreachable"),
        (".timeline a.k.failed", "dd", "connection"),
        *("post_game_window_3", "finish", ": connection"),
    ),
    "locker_off": Fault(
        *("04:30", "06:30", "The locker did not lock"),
        (None, "#verdict, #beside", "The locker did not lock"),
        *("cleanup", "watch", "The locker did not lock"),
    ),
}


class Walk:
    """One walk: seconds and taps since Airflow was opened."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.taps = page, 0
        self.began = time.perf_counter()
        page.goto(url)

    def tap(self, place: Any) -> None:
        """Tap an element as soon as it exists."""
        place.first.click()
        self.taps += 1

    def see(self, place: Any, says: str) -> str:
        """Wait until an element contains the words, scroll to it, and return its text from these words on."""
        found = place.filter(has_text=re.compile(says)).first
        found.wait_for()
        found.scroll_into_view_if_needed()
        said = " ".join(found.inner_text().split())
        return said[re.search(says, said).start() :]

    def report(self, fault: str, way: str, what: str, said: str) -> None:
        """Print a line of the table, with seconds of machine and person, and save a screenshot."""
        seconds = time.perf_counter() - self.began
        name = f"{fault}-{way}-{self.taps}".replace(" ", "-")
        self.page.screenshot(path=PICTURES / f"{name}.png")
        whole = seconds + READING_SECONDS * (self.taps + 1)
        print(f"| {fault} | {way} | {what} | {self.taps} | {seconds:.1f} | {whole:.0f} | {said[:120]} |", flush=True)


PICTURES = Path(tempfile.mkdtemp(prefix="orchestration-walk-pictures-"))


def with_the_page(walk: Walk, name: str, fault: Fault) -> None:
    """Walk with our page: Airflow's home page names the cause, and one or two taps lead to the evidence."""
    said = walk.see(walk.page.locator("section[aria-label=Orchestration]"), fault.home)
    walk.report(name, "page", "the cause, on Airflow's home page", said)
    walk.tap(walk.page.locator("section[aria-label=Orchestration] a"))
    inner = walk.page.frame_locator("iframe[title=Orchestration]")
    opened, place, shown = fault.proof
    if opened:
        walk.tap(inner.locator(opened))
    walk.report(name, "page", "the evidence", walk.see(inner.locator(place), shown))


def without(walk: Walk, name: str, fault: Fault, run: str) -> None:
    """Walk without our page: Dags, the DAG, the failed task of its run, and a line in its log."""
    page = walk.page
    walk.tap(page.get_by_role("link", name="Dags", exact=True))
    walk.tap(page.locator(f"a[href$='/dags/{fault.dag}']"))
    walk.tap(page.locator(f"a[href$='/dags/{fault.dag}/runs/{run}/tasks/{fault.task}']"))
    said = walk.see(page.get_by_text(re.compile(fault.line)), fault.line)
    walk.report(name, "without", "a line in a log", said)


@contextmanager
def opened(stack: Stack, seen: str) -> Iterator[str]:
    """Start an API server whose pages show the ET moment ``seen``. Yield its address."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    code = SERVER.format(now=et(seen, stack.day).isoformat(), port=port)
    env = {**stack.env, "AIRFLOW__API__PORT": str(port), "AIRFLOW__API__BASE_URL": url}
    with (stack.home / "morning.log").open("ab") as log:
        command = [sys.executable, "-c", code]
        stack.processes["morning"] = subprocess.Popen(  # noqa: S603
            command, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        stack._await("morning", f"{url}/api/v2/monitor/health")
        yield url
    finally:
        stack.kill("morning")


@contextmanager
def played(name: str) -> Iterator[tuple[Day, str]]:
    """Play the ticks of a fault, and start Airflow for the walk. Yield the day and the address."""
    fault = WALKS[name]
    first, last = et(fault.first, DEFAULT_DAY), et(fault.seen, DEFAULT_DAY)
    timeline = {moment: dags for moment, dags in moments(DEFAULT_DAY).items() if first <= moment <= last}
    with tempfile.TemporaryDirectory() as home:
        with Stack(Path(home), some_ports(), games=GAMES, report=lambda _: None) as stack:
            player = Day(stack, Console(quiet=True), FAULTS[name])
            player.api.await_dags({dag for dags in timeline.values() for dag in dags}, 300)
            player.play({moment.astimezone(UTC): dags for moment, dags in timeline.items()})
            with opened(stack, fault.seen) as url:
                yield player, url


def walked(url: str, steps: Callable[[Walk], object]) -> None:
    """Walk once with a new browser profile, so that nothing is cached. On a failure print the page."""
    with browser(viewport=PHONE, has_touch=True) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        try:
            steps(Walk(page, url))
        except Exception:
            page.screenshot(path=PICTURES / "stuck.png")
            print(page.url, page.locator("body").aria_snapshot(), PICTURES, sep="\n")
            raise


def red_run(player: Day, fault: Fault) -> str:
    """Return the newest run of the fault's DAG in which its task failed."""
    found = player.api.get(f"dags/{fault.dag}/dagRuns/~/taskInstances", task_id=fault.task, state="failed", limit=100)
    return str(max(task["dag_run_id"] for task in found["task_instances"]))


def walk(name: str, player: Day, url: str) -> None:
    """Walk with our page and without it."""
    walked(url, lambda _: None)  # so that the server has loaded everything
    run = red_run(player, WALKS[name])
    walked(url, lambda walk: with_the_page(walk, name, WALKS[name]))
    walked(url, lambda walk: without(walk, name, WALKS[name], run))


def main() -> None:
    """Walk for the faults in the arguments, by default for all faults."""
    if CHROMIUM is None:
        sys.exit(f"make walk: {HOW}")
    print(f"| fault | way | shown | taps | seconds of the machine | with {READING_SECONDS} s a screen | words |")
    print("|---|---|---|---|---|---|---|")
    for name in sys.argv[1:] or WALKS:
        with played(name) as (player, url):
            walk(name, player, url)
    print(f"The screens: {PICTURES}")


if __name__ == "__main__":
    main()
