"""``diff`` with the schedule of the warehouse."""

import json
from datetime import timedelta

from orchestration.cli import main
from orchestration.planning.day import calls_digest, rules_digest
from support.rows import NOW, add_schedule, expected
from support.worlds import DAY, ROOT, ours

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


def test_diff_since_lock_names_what_the_lock_before_expected_and_nobody_expects_now(outbox, capsys):
    config, workflow = ours(), "betting_lines"
    rules, calls = rules_digest(config, workflow), calls_digest(config, workflow)

    def lock(day, **more):
        locked = expected(workflow, "13:00", **{"rules": rules, "calls": calls, **more})
        moved = timedelta(days=(day - DAY).days)
        changes = {"date": day, "locked_at": locked.locked_at + moved, "expected_run_time": locked.tick + moved}
        return locked.model_copy(update={**changes, "expected_id": f"{day}", "target_date": day})

    asked = ["diff", "--since-lock", "--date", DAY.isoformat()]
    outbox.stage([lock(DAY - timedelta(days=1)), lock(DAY)])
    outbox.drain()
    assert main(asked) == 0
    assert "no rule or parameter has changed" in capsys.readouterr().out
    outbox.stage([lock(DAY + timedelta(days=1), calls=f"{calls} gone_scraper=1")])
    outbox.stage([lock(DAY + timedelta(days=2))])
    outbox.drain()
    asked[-1] = (DAY + timedelta(days=2)).isoformat()
    assert main([*asked, "--json"]) == 1
    [change] = json.loads(capsys.readouterr().out)["changes"]
    assert change == {"workflow": workflow, "lock": "2026-01-15", "change": "no longer calls gone_scraper"}
