"""make pictures: takes the pictures of docs/orchestration/10-the-day-in-the-ui.md, from generated nights."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "plugins"), str(ROOT / "include"), str(ROOT / "tests")]
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="orchestration-pictures-"))

import pytest

from support.browser import CHROMIUM, HOW, browser
from support.nights import MORNING, blocked, many, night, slate
from support.pages import Known, Viewer, serving, site
from support.worlds import et, ours

FOLDER = ROOT / "docs" / "orchestration" / "pictures"
WIDE, PHONE = {"width": 1180, "height": 700}, {"width": 360, "height": 740}
BLOCKED = ("nbac_team_boxscore", "nbac_player_boxscore", "nbac_play_by_play", "nbac_gamebook_pdf")


class Run:
    """A DAG run, with the fields that our pages read."""

    run_type, conf, triggering_user_name = "scheduled", None, None

    def __init__(self, tick: Any) -> None:
        self.run_id = f"scheduled__{tick.isoformat()}"
        self.logical_date = self.run_after = self.start_date = tick


def take(folder: Path, name: str, facts: Any, path: str = "/orchestration/day", **more: Any) -> None:
    """Take one picture. Print the size of the page and the time that it took."""
    now, config = more.pop("now", MORNING), more.pop("config", ours())
    next_day = night(config, day=facts.day + timedelta(days=1), until=now)
    with pytest.MonkeyPatch.context() as patch:
        viewer = Viewer(config)
        viewer.run = Run(et("22:00"))
        with serving(site(patch, Known(config, facts, now, following=next_day), viewer)) as url:
            with browser(**{"viewport": WIDE, **more}) as context:
                page = context.new_page()
                began = time.perf_counter()
                reply = page.goto(url + path)
                page.wait_for_load_state("networkidle")
                took = time.perf_counter() - began
                if page.locator(".timeline .k.failed").count():
                    page.locator(".timeline .k.failed").first.hover()
                    page.wait_for_selector("#detail b")
                page.screenshot(path=folder / f"{name}.png", full_page=more.get("viewport") != PHONE)
                print(f"{name:14} {len(reply.body()):>7} bytes, {took:.2f} s in the browser")


def main() -> None:
    """Take the pictures of the documentation. With a folder as argument, take all pictures into it."""
    if CHROMIUM is None:
        sys.exit(f"make pictures: {HOW}")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    good = night(games=slate(6))
    bad = blocked(good, *BLOCKED)
    take(folder, "day-healthy", good)
    take(folder, "day-blocked", bad)
    take(folder, "day-phone", bad, viewport=PHONE)
    tick = et("22:00").isoformat().replace("+", "%2B")
    take(folder, "day-run", bad, f"/orchestration/dags/post_game_window_1/run?run_id=scheduled__{tick}")
    if folder == FOLDER:
        return
    take(folder, "day-evening", night(until=et("21:50")), now=et("21:50"))
    take(folder, "day-dark", good, color_scheme="dark")
    config = many(200)
    take(folder, "day-many", night(config, slate(15)), config=config)
    take(folder, "day-why", good, f"/orchestration/day/2026-01-14/post_game_window_1/{5 * 3600}")


if __name__ == "__main__":
    main()
