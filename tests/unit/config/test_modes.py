"""Live or shadow: what loads, and whose rows count as history."""

import pytest
import yaml

from orchestration.config import ConfigError, loads
from orchestration.vocabulary.settings import Settings
from support.worlds import OLD_FILE, ROOT, changed, ours

OWN = {"settings__mode": "shadow", "settings__audit_dataset": "nba_phase1"}


def text(**settings):
    data = yaml.safe_load((ROOT / "config" / "workflows.yaml").read_text())
    data["settings"] |= settings
    return yaml.safe_dump(data)


def test_by_default_every_workflow_is_live_and_history_is_our_dataset():
    assert not any(ours().is_shadow(name) for name in (None, *ours().workflows))
    assert Settings().history == "nba_orchestration"
    assert Settings(audit_dataset="ours").history == "ours"
    assert Settings(audit_dataset="ours", history_dataset="theirs").history == "theirs"


@pytest.mark.lesson("A9")
def test_a_shadow_reads_history_from_the_dataset_of_the_other_system():
    config = changed(**OWN)
    assert all(config.is_shadow(name) for name in (None, *config.workflows, "cleanup", "reconcile"))
    assert config.settings.history == "nba_orchestration"
    assert changed(**OWN, settings__history_dataset="theirs").settings.history == "theirs"


@pytest.mark.lesson("A9")
@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "shadow"},
        {"mode": "shadow", "audit_dataset": "nba_orchestration"},
        {"mode": "shadow", "audit_dataset": "theirs", "history_dataset": "theirs"},
        {"mode": "shadow", "history_dataset": "nba_orchestration"},
    ],
)
def test_a_shadow_that_writes_to_the_other_systems_dataset_is_refused(settings):
    with pytest.raises(ConfigError, match=r"a shadow needs its own dataset.*executes every RUN in"):
        loads(text(**settings), "w.yaml")


def test_one_workflow_may_be_a_shadow_in_a_live_system():
    config = changed(workflows__betting_lines__mode="shadow")
    assert [name for name in config.workflows if config.is_shadow(name)] == ["betting_lines"]
    assert not config.is_shadow()
    assert not config.is_shadow("cleanup")


def test_a_live_workflow_in_a_shadow_system_is_a_shadow_and_a_warning():
    data = yaml.safe_load(text(mode="shadow", audit_dataset="nba_phase1"))
    data["workflows"]["betting_lines"]["mode"] = "live"
    loaded = loads(yaml.safe_dump(data), "w.yaml")
    assert loaded.config.is_shadow("betting_lines")
    message = "has no effect: the system is a shadow (settings.mode), so no workflow makes calls"
    warnings = [w.split(": ", 1)[1] for w in loaded.warnings if "shadow" in w]
    assert warnings == [f"workflows.betting_lines.mode: {message}"]


@pytest.mark.parametrize("mode", ["Shadow", "dry", "", True])
def test_an_unknown_mode_is_refused_with_the_list_of_modes(mode):
    with pytest.raises(ConfigError, match=r"settings.mode.*live.*shadow"):
        loads(text(mode=mode), "w.yaml")


def test_the_file_of_november_2025_can_be_a_shadow():
    data = yaml.safe_load(OLD_FILE.read_text())
    data["settings"] |= {"mode": "shadow", "audit_dataset": "nba_phase1"}
    assert loads(yaml.safe_dump(data)).config.is_shadow("morning_operations")
