"""``diff`` with the schedule of the warehouse."""

import json

from orchestration.cli import main
from support.rows import NOW, add_schedule
from support.worlds import DAY, ROOT

OURS = ROOT / "config" / "workflows.yaml"


def test_diff_plays_the_games_of_the_warehouse(warehouse, tmp_path, capsys):
    games = [(f"002250010{number}", DAY, "api_stats", NOW, "Scheduled") for number in (1, 2)]
    add_schedule(warehouse, *games, tip="2026-01-15 00:30:00+00")
    moved = tmp_path / "moved.yaml"
    moved.write_text(OURS.read_text().replace("'22:00'", "'23:00'"))
    days = ["--from", DAY.isoformat(), "--to", DAY.isoformat()]
    assert main(["diff", str(OURS), str(moved), *days, "--json"]) == 1
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert (found["schedule"], shown.err) == ("nba_raw.nbac_schedule in the warehouse", "")
    # Both games tip at 19:30, so they end between 22:00 and 23:00.
    assert found["games"][0]["earlier"] == 2
    gained = {one["workflow"]: one.get("run_gained") for one in found["workflows"]}
    assert gained["post_game_window_1"] == ["2026-01-14T23:00:00-05:00"]
