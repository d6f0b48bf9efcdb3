"""``import`` writes our file from the replaced system's."""

import json

import pytest
import yaml

from orchestration.cli import main
from orchestration.config import loads
from orchestration.errors import UserError
from orchestration.planning.other_system.old_file import THREADS, imported, known
from orchestration.vocabulary.scrapers import fan_out_of, parameters_of
from orchestration.words import ExitCode, FanOut
from support.worlds import OLD_FILE, ROOT

JULY = ROOT / "tests" / "support" / "data" / "workflows-2026-07.yaml"
FILES = {"November 2025": OLD_FILE, "July 2026": JULY}
CATCHUP = """
version: '1.0'
scrapers:
  bdl_box_scores: {name: bdl_box_scores, critical: true}
workflows:
  bdl_catchup_midday:
    enabled: true
    decision_type: bdl_catchup
    schedule: {fixed_time: '10:00', tolerance_minutes: 30, lookback_days: 3, smart_retry: true}
    execution_plan: {type: parallel, scrapers: [bdl_box_scores]}
  bdl_catchup:
    decision_type: bdl_catchup
    schedule: {lookback_days: 3}
    execution_plan: {type: single, scraper: bdl_box_scores}
"""


def result(content):
    done = imported(content if isinstance(content, bytes) else content.encode(), "old.yaml")
    return done, loads(done.text)


@pytest.fixture(params=FILES)
def old(request):
    content = FILES[request.param].read_bytes()
    return yaml.safe_load(content), *result(content)


@pytest.mark.lesson("F16")
def test_every_workflow_and_scraper_is_kept_with_its_plan(old):
    data, _, loaded = old
    assert list(loaded.config.scrapers) == list(data["scrapers"])
    assert list(loaded.config.workflows) == list(data["workflows"])
    before = loads(yaml.safe_dump(data)).config
    for name, workflow in before.workflows.items():
        after = loaded.config.workflows[name]
        assert after.execution_plan.scrapers == workflow.execution_plan.scrapers
        assert (after.priority, after.alerts, after.fixed_time) == (
            workflow.priority,
            workflow.alerts,
            workflow.fixed_time,
        )
    for name in before.scrapers:
        assert parameters_of(name, loaded.config.scrapers[name]) == parameters_of(name, before.scrapers[name])
        assert fan_out_of(name, loaded.config.scrapers[name]) is fan_out_of(name, before.scrapers[name])
        assert loaded.config.timeout_seconds(name) >= before.timeout_seconds(name)


@pytest.mark.lesson("F16")
def test_every_file_of_a_known_scraper_can_be_followed(old):
    _, _, loaded = old
    without = {name for name, scraper in loaded.config.scrapers.items() if scraper.processed_in is None}
    assert without <= {"oddsa_events", "bp_events"}
    assert loaded.config.settings.service_log == "nba_orchestration.scraper_execution_log"


def test_validate_refuses_nothing_and_warns_only_of_scrapers_that_nobody_calls(old):
    _, _, loaded = old
    assert loaded.refused == ()
    assert all("no workflow calls this scraper" in warning for warning in loaded.warnings)


def test_every_source_has_a_pool_and_all_pools_fit_into_the_service(old):
    _, _, loaded = old
    assert all(scraper.pool for scraper in loaded.config.scrapers.values())
    assert sum(loaded.config.settings.pools.values()) <= THREADS


def test_an_imported_system_begins_as_a_shadow_in_a_dataset_of_its_own(old):
    _, _, loaded = old
    assert loaded.config.is_shadow()
    assert loaded.config.settings.audit_dataset != loaded.config.settings.history


def test_each_decision_is_a_comment_in_the_file(old):
    _, done, _ = old
    comments = {line.strip().removeprefix("# ") for line in done.text.splitlines() if line.strip().startswith("#")}
    assert len(done.decided) > 50
    assert {line.split(": ", 1)[1] for line in done.decided} <= comments


def test_what_is_known_of_a_scraper_is_what_our_own_file_says():
    ours = yaml.safe_load((ROOT / "config" / "workflows.yaml").read_text())["scrapers"]
    for name, scraper in ours.items():
        facts = {key: value for key, value in scraper.items() if key not in ("description", "critical", "parameters")}
        assert known()["scrapers"][name] == facts, name


def test_a_catch_up_of_box_scores_becomes_a_workflow_at_its_times():
    done, loaded = result(CATCHUP)
    found = {name: one.schedule for name, one in loaded.config.workflows.items()}
    assert [f"{wall:%H:%M}" for wall in found["bdl_catchup_midday"].at] == ["10:00"]
    assert [f"{wall:%H:%M}" for wall in found["bdl_catchup"].at] == ["10:00", "14:00", "18:00"]
    assert {(one.target_date.value, one.condition) for one in found.values()} == {("yesterday", "any_game")}
    assert loaded.config.settings.reconcile.days == 3
    assert done.unknown == []


def test_what_is_not_known_is_listed_and_stands_at_the_top_of_the_file():
    content = CATCHUP.replace("{name: bdl_box_scores, critical: true}", "{colour: red}\n  mine: {critical: false}")
    content = content.replace("decision_type: bdl_catchup\n    schedule: {lookback_days: 3}", "decision_type: moon")
    done, loaded = result(content)
    assert done.unknown == [
        "scrapers.bdl_box_scores.colour: has no meaning here and is left out (it was red)",
        "scrapers.mine: its table (processed_in), parameters, pool and for_each",
        "workflows.bdl_catchup: decision_type moon, and no time; it is switched off",
    ]
    assert all(f"# * {line}" in done.text for line in done.unknown)
    assert not loaded.config.workflows["bdl_catchup"].enabled
    assert fan_out_of("mine", loaded.config.scrapers["mine"]) is FanOut.NOTHING


@pytest.mark.parametrize("content", [b"", b"[]", b"scrapers: {}", b"workflows: {a: {}}"])
def test_another_file_is_refused(content):
    with pytest.raises(UserError, match=r"old\.yaml"):
        imported(content, "old.yaml")


def test_the_command_writes_the_file_once_and_prints_the_list(tmp_path, capsys):
    new = tmp_path / "new.yaml"
    assert main(["import", str(JULY), "--to", str(new), "--json"]) == ExitCode.FOUND
    said = json.loads(capsys.readouterr().out)
    assert [line.split(":")[0] for line in said["unknown"]] == ["scrapers.espn_roster", "scrapers.bp_events"]
    assert loads(new.read_bytes()).config.workflows
    assert main(["import", str(JULY), "--to", str(new)]) == ExitCode.USAGE
    assert main(["import", str(tmp_path / "none.yaml")]) == ExitCode.UNKNOWN
    assert main(["validate", str(new)]) == ExitCode.WELL
    (tmp_path / "old.yaml").write_bytes(OLD_FILE.read_bytes())
    assert main(["import", str(tmp_path / "old.yaml")]) == ExitCode.WELL
    assert (tmp_path / "old-imported.yaml").exists()
