"""Healthy days send no alert, and four big faults are still named hours later. test_faults plays all faults."""

import re
from datetime import UTC, timedelta

import pytest

from orchestration.cli import main
from orchestration.nba.eastern import et as in_et
from orchestration.words import Verdict
from sandbox.day import moments
from sandbox.faults import FAULTS
from sandbox.world import DAYS_AROUND
from support.simulated import SimulatedDays
from support.standins import GoogleStandIns
from support.worlds import DAY, et

pytestmark = pytest.mark.drill

NAMED = {
    "scheduler_down": ("18:50", "UNHEALTHY: No workflow made a decision from 14:00 to 16:00 ET"),
    "service_down": ("22:50", "UNHEALTHY: The scraper service is unreachable"),
    "phase2_dead": ("21:50", "DEGRADED: Phase 2 does not deliver: "),
    "bigquery_down": ("16:50", r"UNHEALTHY: BigQuery did not answer from 15:00 to 16:00 ET"),
}
"""For each fault the time of the health check and a pattern for the start of its headline."""
COUNTED = ("calls", "lost", "recovered")
MOST_CALLS = 230
"""The most calls of a day with 12 games, retries included."""


def timeline(day, cleanups_every=1, until=None):
    """Return the ticks of a day up to ``until``, with only every n-th cleanup, and the watchdog at every other one."""
    found, number = {}, 0
    for moment, dag_ids in moments(day).items():
        if until is not None and moment >= until:
            break
        if dag_ids != ["cleanup"]:
            found[moment] = dag_ids
            continue
        number += 1
        if number % cleanups_every == 0:
            watched = cleanups_every > 1 and number % (2 * cleanups_every) == 0
            found[moment] = ["cleanup", "watch"] if watched else ["cleanup"]
    return found


@pytest.fixture(scope="module")
def world():
    """Separate stand-ins with the usual small faults, lost messages and late log rows."""
    with GoogleStandIns(faults=0.02, lost=0.03, late=0.1, hang=0) as running:
        yield running


@pytest.fixture
def days(world, tmp_path, monkeypatch):
    world.empty()
    world.trouble()
    monkeypatch.setenv("ORCHESTRATION_OUTBOX", f"file://{tmp_path / 'outbox'}")
    # The time of a run is that of its tick, not the wall clock.
    monkeypatch.setattr("orchestration.runs.clock.RunClock.now", lambda self: self.tick)
    monkeypatch.setattr("orchestration.audit.warehouse.APPEND_RETRY_SECONDS", 1)
    return lambda fault=None: SimulatedDays(world, DAY, FAULTS.get(fault))


@pytest.mark.lesson("K11")
@pytest.mark.parametrize("fault", NAMED)
def test_the_first_line_names_the_fault(days, fault, capsys):
    moment, says = NAMED[fault]
    played = days(fault)
    played.play(timeline(DAY, until=et(moment).astimezone(UTC)))
    if fault == "bigquery_down":
        assert main(["health", "--date", DAY.isoformat(), "--as-of", et(moment).isoformat()]) == 3
        [first] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("UNKNOWN")]
        assert re.fullmatch(r"UNKNOWN: BigQuery did not answer: 127.0.0.1:\d+ cannot be reached", first)
        played.repair()
    health = played.health(DAY, et(moment))
    assert re.match(says, health.headline), [f.text for f in health.findings]
    if fault == "bigquery_down":
        played.play({m: d for m, d in timeline(DAY).items() if et("17:00") <= m < et("17:50")})
        assert played.health(DAY, et("17:50")).findings == ()
        assert main(["health", "--date", DAY.isoformat(), "--as-of", et("17:50").isoformat()]) == 0
        assert "  over      BigQuery did not answer from 15:00 to 16:00 ET" in capsys.readouterr().out


@pytest.mark.lesson("A2")
@pytest.mark.lesson("K13")
@pytest.mark.parametrize(
    "shifts",
    [
        pytest.param([0], id="one day"),
        pytest.param(DAYS_AROUND[:4], id="four days", marks=pytest.mark.drill),
    ],
)
def test_healthy_days_send_no_alert_and_every_lost_message_is_republished(world, days, shifts):
    played, before, done = days(), world.settle(), set()
    for shift in shifts:
        day = DAY + timedelta(days=shift)
        ticks = timeline(day, cleanups_every=2)
        # A day begins with ticks of the night before, which are played once.
        played.play({moment: [dag for dag in dags if (moment, dag) not in done] for moment, dags in ticks.items()})
        done |= {(moment, dag) for moment, dags in ticks.items() for dag in dags}
        now = in_et(max(ticks)) + timedelta(minutes=10)
        health = played.health(day, now)
        assert (health.verdict, health.findings) == (Verdict.HEALTHY, ()), day
        assert (health.collected, health.due) == (health.games, health.games)
    assert played.failures == []
    counted = {name: count - before.get(name, 0) for name, count in world.settle().items() if name in COUNTED}
    assert counted["recovered"] == counted["lost"] > 0
    assert counted["calls"] <= MOST_CALLS * len(shifts)
