"""``backtest`` of a played day, with the BigQuery emulator and the sandbox's service."""

import json
from datetime import UTC

import pytest

from orchestration.cli import main
from orchestration.words import ExitCode
from sandbox.day import moments
from support.simulated import SimulatedDays
from support.worlds import DAY, ROOT, et

pytestmark = pytest.mark.drill

OURS = ROOT / "config" / "workflows.yaml"
SPAN = ["--from", DAY.isoformat(), "--to", DAY.isoformat()]


@pytest.fixture(scope="module")
def played(google, tmp_path_factory):
    """The day without its cleanups. Rows carry the time of their tick."""
    google.empty()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORCHESTRATION_OUTBOX", f"file://{tmp_path_factory.mktemp('outbox')}")
        patch.setattr("orchestration.runs.clock.RunClock.now", lambda self: self.tick)
        days = SimulatedDays(google, DAY)
        for moment, dag_ids in moments(DAY).items():
            patch.setattr(
                "orchestration.runs.clock.RunClock.wall", staticmethod(lambda now=moment: now.astimezone(UTC))
            )
            if decided := [dag for dag in dag_ids if dag in days.config.enabled]:
                days.play({moment: decided})
        yield days


def test_the_same_configuration_reproduces_the_recorded_decisions(played, capsys):
    assert main(["backtest", *SPAN]) == 0, capsys.readouterr().out
    found = capsys.readouterr().out
    assert found == "147 decisions on record: 147 the same, 0 not\n"


def test_another_configuration_shows_the_changed_decisions(played, tmp_path, capsys):
    moved = tmp_path / "moved.yaml"
    moved.write_text(OURS.read_text().replace("'22:00'", "'23:00'"))
    assert main(["backtest", *SPAN, "--config", str(moved), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    actions = {one["tick"]: (one["then"]["action"], one["now"]["action"]) for one in found["other"]}
    assert actions[et("22:00").isoformat()] == ("RUN", "SKIP")
    assert actions[et("23:00").isoformat()] == ("SKIP", "RUN")
    assert {one["workflow"] for one in found["other"]} == {"post_game_window_1"}


def test_days_without_recorded_decisions_are_unknown(played, capsys):
    assert main(["backtest", "--from", "2026-01-01", "--to", "2026-01-02"]) == ExitCode.UNKNOWN
    assert "there is no decision on record in nba_orchestration from 2026-01-01" in capsys.readouterr().err
