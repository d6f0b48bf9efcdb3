"""Rows of the schedule that are not a valid game: no decision and no command fails because of them."""

import json
from datetime import timedelta

import pytest

from orchestration.audit.inputs import decision_inputs
from orchestration.cli import main
from orchestration.decisions.engine import decide
from orchestration.words import Action
from support.rows import add_schedule, decision
from support.worlds import DAY, et, ours

ROWS = (
    "('0042500101', '20260120/', 2025, DATE '2026-01-20', TIMESTAMP '2026-01-21 00:30:00+00', 1, '', '', ''",
    "('0022500002', '20260114/LALBOS', 2025, DATE '2026-01-14', NULL, 1, 'Scheduled', 'BOS', 'LAL'",
    "('0022500003', NULL, 2025, DATE '2026-01-14', TIMESTAMP '2026-01-15 00:30:00+00', 1, 'Scheduled', 'BOS', 'LAL'",
    "(NULL, '20260114/LALBOS', 2025, DATE '2026-01-14', TIMESTAMP '2026-01-15 00:30:00+00', 1, NULL, 'BOS', 'LAL'",
    "('0022500004', '20260114/BOS', 2025, DATE '2026-01-14', TIMESTAMP '2026-01-15 00:30:00+00', 1, '', NULL, 'X'",
    "('0992500005', '20260114/BOS', 2025, DATE '2026-01-14', TIMESTAMP '2026-01-15 00:30:00+00', 1, '', 'BOS', 'LAL'",
)


@pytest.fixture
def bad_rows(outbox, warehouse):
    add_schedule(warehouse, ("0022500001", DAY, "api_stats", et("04:30"), "Scheduled"))
    values = ", ".join(f"{row}, 'api_stats', 'f', TIMESTAMP '2026-01-14 09:30:00+00')" for row in ROWS)
    warehouse.query(f"INSERT INTO nba_raw.nbac_schedule VALUES {values}")
    return warehouse


def test_a_decision_ignores_bad_rows_and_names_them(bad_rows):
    schedule, history = decision_inputs(bad_rows, ours(), ["injury_discovery"], et("08:00"))
    assert [game.game_id for game in schedule.on(DAY)] == ["0022500001"]
    found = decide("injury_discovery", ours(), et("08:00"), schedule, history)
    assert (found.action, found.context["unusable_rows"]) == (Action.RUN, len(ROWS))


def test_no_command_fails_with_a_traceback_on_bad_rows(bad_rows, outbox, capsys):
    outbox.append("workflow_decisions", outbox.stage([decision("betting_lines", "14:00", "SKIP")]))
    seen = et("14:50").isoformat()
    assert main(["health", "--as-of", seen, "--json"]) in (1, 2)
    kinds = [finding["kind"] for finding in json.loads(capsys.readouterr().out)["findings"]]
    assert kinds.count("unusable_rows") == 1
    assert main(["status", "--as-of", seen]) in (1, 2)
    out = " ".join(capsys.readouterr().out.split())
    assert "rows of the schedule are unusable and left out of every decision" in out
    assert main(["plan", "--date", DAY.isoformat()]) == 0
    assert "note: 6 rows left out: " in capsys.readouterr().err
    assert main(["explain", "--workflow", "betting_lines", "--at", seen]) == 0
    assert main(["reconcile", "--as-of", (et("14:50") + timedelta(days=1)).isoformat()]) == 1
    out = capsys.readouterr().out
    assert '"games": ["0022500001"]' in out
    assert "nbac_player_boxscore" in out
