"""Each seeded fault is named by its cause in the first alert, in the health check's headline and in the status."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestration.audit.warehouse import Warehouse
from orchestration.cli import main
from sandbox.faults import FAULTS, Fault
from support.generators import generator
from support.rows import call
from support.seeded_faults import SharedDay, first_alert, health_page
from support.standins import GoogleStandIns
from support.worlds import DAY, ROOT

FIRST_ALERTS = generator("faults").FIRST_ALERTS
ELSEWHERE = ("scheduler_down", "bigquery_down", "messages_twice")
"""Faults that test_simulated_days plays, and the harmless fault."""
HERE = [name for name in FAULTS if name not in ELSEWHERE]
PAIRS = {
    ("streaming_refused", "service_slow"): "BigQuery has taken no rows",
    ("topic_gone", "service_slow"): "The scraper service is slow",
    ("dag_paused", "clock_off"): "The DAG betting_lines is paused",
}
"""Two faults at once. The first of the pair is named first."""
LOOK = timedelta(minutes=80)
"""How long after its start a fault is checked, or later if it is met later: after the cleanup of the next hour."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeded")
    file = folder / "workflows.yaml"
    with pytest.MonkeyPatch.context() as patch, GoogleStandIns(hang=0) as google:
        patch.setenv("ORCHESTRATION_OUTBOX", f"file://{folder / 'outbox'}")
        patch.setenv("ORCHESTRATION_CONFIG", str(file))
        patch.setattr("orchestration.runs.clock.RunClock.now", lambda self: self.tick)
        patch.setattr("orchestration.audit.warehouse.APPEND_RETRY_SECONDS", 1)
        page = health_page()
        file.write_text((ROOT / "config" / "workflows.yaml").read_text())
        yield SharedDay(google, DAY, file)
        page.shutdown()


@pytest.fixture
def seeded(shared):
    used = []

    def play(fault):
        used.append(fault)
        return shared.seeded(fault, look_at(fault) + timedelta(minutes=1))

    yield play
    for fault in used:
        shared.well_again(fault)
    shared.forget_days_before()


def look_at(fault):
    """The moment at which a fault is checked."""
    first = next((FIRST_ALERTS[name] for name, one in FAULTS.items() if one is fault and name in FIRST_ALERTS), None)
    met = timedelta(hours=(first.met or fault.start) - fault.start) if first else timedelta()
    return fault.begins(DAY) + max(LOOK, met + timedelta(minutes=first.minutes + 10 if first else 0))


def said(capsys, *command):
    capsys.readouterr()
    main([*command])
    return capsys.readouterr().out


@pytest.mark.drill
@pytest.mark.parametrize("name", sorted(HERE, key=lambda name: FAULTS[name].start))
def test_a_fault_is_named_by_its_cause(seeded, shared, name, capsys):
    fault, first = FAULTS[name], FIRST_ALERTS[name]
    if name == "source_silent":
        # The days before are not played. This row says that the source had data three days ago, but not since.
        for days, outcome in ((3, "success"), (2, "no_data"), (1, "no_data")):
            row = call("oddsa_player_props", f"-{days} 13:00", outcome)
            shared.healthy.outbox.stage([row.model_copy(update={"target_date": DAY - timedelta(days=days)})])
    found = first_alert(seeded(fault), first.words)
    assert found is not None
    at, alert = found
    met = fault.begins(DAY) if first.met is None else fault.begins(DAY) + timedelta(hours=first.met - fault.start)
    assert (alert.kind, round((at - met).total_seconds() / 60)) == (first.kind, first.minutes)
    seen = look_at(fault).isoformat()
    headline = said(capsys, "health", "--as-of", seen).splitlines()[0]
    assert headline.partition(": ")[2].startswith(first.first_line)
    parts = {
        part["name"]: part["wrong"] for part in json.loads(said(capsys, "status", "--json", "--as-of", seen))["parts"]
    }
    assert any(first.first_line in text for text, _ in parts[first.part])


@pytest.mark.drill
@pytest.mark.parametrize("names", PAIRS, ids=" and ".join)
def test_two_faults_at_once_are_both_named_with_the_nearer_cause_first(seeded, names, capsys):
    one, other = (FAULTS[name] for name in names)
    both = Fault(
        "two at once", max(one.start, other.start), world={**one.world, **other.world},
        refuses={**one.refuses, **other.refuses}, paused=one.paused or other.paused, pool=one.pool or other.pool,
    )  # fmt: skip
    seeded(both)
    headline = said(capsys, "health", "--as-of", (both.begins(DAY) + LOOK).isoformat()).splitlines()[0]
    assert headline.partition(": ")[2].startswith(PAIRS[names])
    assert all(FIRST_ALERTS[name].first_line in headline for name in names)


@pytest.mark.drill
def test_duplicate_messages_are_not_reported(seeded, capsys):
    twice = replace(FAULTS["messages_twice"], start=13)
    assert seeded(twice).alerts == []
    headline = said(capsys, "health", "--as-of", (twice.begins(DAY) + LOOK).isoformat()).splitlines()[0]
    assert headline.startswith("HEALTHY: ")


# The last one, because it plays into the next day.
@pytest.mark.drill
@pytest.mark.lesson("F2")
def test_a_file_that_phase2_did_not_write_is_followed_until_it_is_closed_by_name(shared, capsys):
    fault = FAULTS["phase2_pauses"]
    alerts = shared.seeded(fault, fault.begins(DAY) + timedelta(hours=13, minutes=50)).alerts
    try:
        seen = (fault.begins(DAY) + timedelta(hours=7.4)).isoformat()
        headline = said(capsys, "health", "--as-of", seen).splitlines()[0]
        assert "never arrived" in headline
        assert " OPEN " in said(capsys, "missing", "--files", "--as-of", seen)
        rows = Warehouse().query(
            "SELECT cleanup_time, followed_files FROM {audit}.v_cleanup_operations "
            f"WHERE DATE(cleanup_time) >= DATE '{DAY}' AND files_since IS NOT NULL ORDER BY cleanup_time"
        )
        looks = [
            (row["cleanup_time"], {file["gcs_path"]: file["state"] for file in row["followed_files"]}) for row in rows
        ]
        still_open = [{path for path, state in files.items() if state == "open"} for _, files in looks]
        assert any(still_open)
        for before, (_, files) in zip(still_open[:-1], looks[1:], strict=True):
            assert before <= files.keys()
        for over in (at for at, alert in alerts if alert.text.startswith("Over: Phase 2")):
            assert not [paths for (at, _), paths in zip(looks, still_open, strict=True) if at <= over][-1]
    finally:
        shared.well_again(fault)
