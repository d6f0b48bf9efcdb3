"""The switch and the way back: the old system until 14:00, then ours, theirs for one hour, and ours again."""

from datetime import timedelta
from functools import partial

import pytest
import requests

from orchestration.audit.inputs import decision_inputs
from orchestration.audit.warehouse import Warehouse
from orchestration.cleanup.makeup_inputs import find_makeups
from orchestration.config import config_path
from orchestration.decisions.engine import forced
from orchestration.decisions.request import Request
from orchestration.nba.eastern import et as in_et
from orchestration.planning.calls import planned_calls
from orchestration.services.scraper_service import CallRequest, ScraperService
from orchestration.vocabulary.scrapers import parameters_of
from orchestration.vocabulary.templates import Item, render
from orchestration.words import Outcome, Verdict
from sandbox.day import moments
from support.old_system import their_execution, write
from support.simulated import SimulatedDays
from support.standins import PATIENCE_SECONDS, GoogleStandIns
from support.worlds import DAY, changed_file, et, ours

pytestmark = pytest.mark.drill

HALT = {"reason": "back to the old system for an hour"}


@pytest.fixture(scope="module")
def world():
    with GoogleStandIns() as running:
        yield running


@pytest.fixture
def played(world, tmp_path, monkeypatch):
    world.empty()
    monkeypatch.setenv("ORCHESTRATION_OUTBOX", f"file://{tmp_path / 'outbox'}")
    monkeypatch.setattr("orchestration.runs.clock.RunClock.now", lambda self: self.tick)
    monkeypatch.setenv("ORCHESTRATION_CONFIG", str(tmp_path / "workflows.yaml"))
    deploy()
    return SimulatedDays(world, DAY)


def deploy(**changes):
    config_path().write_text(changed_file(**changes))


def their_run(world, workflow, at):
    """Run the old executor: it calls the scrapers one by one and writes its row. The service logs each call."""
    world.set_clock(at)
    service, config, brought, events = ScraperService(), ours(), [], []
    schedule, _ = decision_inputs(Warehouse(), config, [workflow], at)
    decision = forced(workflow, config, at, schedule, "them", Request(force=True))
    for planned in planned_calls(config, decision):
        for item in [Item(event_id=event) for event in events] if planned.per_event_of else [planned.item]:
            templates = parameters_of(planned.scraper, config.scrapers[planned.scraper])
            opts = render(templates, target_date=decision.target_date, now=decision.tick, item=item)
            events_of = planned.scraper == "oddsa_events"
            result = service.call(CallRequest(planned.scraper, opts, workflow, 60, event_source=events_of))
            assert result.outcome is not Outcome.FAILED, result
            events += result.event_ids
            if result.outcome is Outcome.SUCCESS:
                brought.append(result.run_id)
    write(Warehouse(), "workflow_executions", their_execution(workflow, at, brought))
    world.settle()
    requests.post(
        f"http://127.0.0.1:{world.scrapers}/world/settle", json={}, timeout=PATIENCE_SECONDS
    ).raise_for_status()
    return len(brought)


def answers(workflow, tick):
    sql = (
        "SELECT action, rule, reason FROM {audit}.v_workflow_decisions "
        "WHERE DATE(decision_time) BETWEEN @day AND @next AND slot_time = @tick AND workflow_name = @workflow"
    )
    [row] = Warehouse().query(
        sql, {"day": DAY, "next": DAY + timedelta(days=1), "tick": et(tick), "workflow": workflow}
    )
    return row["action"], row["rule"]


def our_calls(workflow, until="+1 05:00"):
    sql = (
        "SELECT COUNT(*) AS calls FROM {audit}.v_scraper_runs "
        "WHERE DATE(triggered_at) BETWEEN @day AND @next AND workflow = @workflow AND slot_time < @until"
    )
    values = {"day": DAY, "next": DAY + timedelta(days=1), "workflow": workflow, "until": et(until)}
    return Warehouse().query(sql, values)[0]["calls"]


def ticks(first, last):
    return {m: dags for m, dags in moments(DAY).items() if et(first) <= in_et(m) < et(last) and dags != ["reconcile"]}


def test_the_switch_to_our_system_and_the_way_back(played, world):
    theirs = partial(their_run, world)
    assert theirs("morning_operations", et("06:05")) == 32
    assert theirs("referee_discovery", et("10:05")) == 1
    assert theirs("betting_lines", et("13:05")) > 1

    # Our system is switched on at 14:00.
    played.play(ticks("14:00", "15:10"))
    assert answers("morning_operations", "14:00") == ("SKIP", "done")
    assert answers("referee_discovery", "14:00") == ("SKIP", "found")
    assert answers("schedule_dependency", "14:00")[0] == "RUN"  # the other system's run is 8 hours old
    assert answers("betting_lines", "14:00") == ("SKIP", "too_soon")
    health = played.health(DAY, et("14:50"))
    assert (health.verdict, health.findings) == (Verdict.HEALTHY, ())
    assert our_calls("morning_operations") == our_calls("referee_discovery") == 0
    played.play(ticks("15:10", "16:10"))

    # The way back: from the next tick on we call nothing. The other system continues in the same tables.
    deploy(settings__halt=HALT)
    before = world.settle()["calls"]
    played.play(ticks("16:10", "17:05"))
    assert world.settle()["calls"] == before
    assert {answers(name, "17:00") for name in ours().enabled} == {("SKIP", "halted")}
    assert theirs("betting_lines", et("17:05")) > 1

    # Our system again: it sees the data that the other system collected meanwhile.
    deploy()
    played.play(ticks("18:00", "18:10"))
    assert answers("betting_lines", "18:00") == ("SKIP", "too_soon")
    played.play(ticks("18:10", "+1 05:00"))
    morning = et("+1 06:30")
    health = played.health(DAY, morning)
    assert (health.verdict, health.findings) == (Verdict.HEALTHY, ())
    assert (health.collected, health.due) == (health.games, health.games)
    assert find_makeups(Warehouse(), ours(), morning, 2, 5, on_record_only=True) == []
