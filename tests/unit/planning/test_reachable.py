"""Workflows that can never run are reported, and no others."""

import pytest
import yaml

from orchestration.config import loads
from orchestration.planning.day import never_running
from orchestration.vocabulary.source import parse
from support.worlds import OLD_FILE, ROOT

OURS = (ROOT / "config" / "workflows.yaml").read_text()
WINDOW = {"decision_type": "game_aware_yesterday", "execution_plan": {"scraper": "nbac_team_boxscore"}}


def never(text):
    return never_running(loads(text).config, parse(text.encode(), "w.yaml"))


def with_workflows(**workflows):
    data = yaml.safe_load(OURS)
    data["workflows"] |= workflows
    return yaml.safe_dump(data, sort_keys=False)


def test_every_workflow_of_ours_and_of_the_old_file_can_run():
    assert never(OURS) == []
    assert never(OLD_FILE.read_text()) == []


@pytest.mark.parametrize(
    "workflow",
    [
        {**WINDOW, "schedule": {"fixed_time": "06:30", "target_date": "yesterday"}},
        {**WINDOW, "schedule": {"fixed_time": "10:00"}},
        {**WINDOW, "schedule": {"fixed_time": "12:30"}},
        {**WINDOW, "schedule": {"fixed_time": "22:00"}, "game_types": ["preseason"]},
        {**WINDOW, "schedule": {"fixed_time": "02:00"}, "dependencies": {"requires": ["post_game_window_2"]}},
        {**WINDOW, "schedule": {"fixed_time": "04:30"}, "dependencies": {"requires": ["morning_operations"]}},
        {**WINDOW, "schedule": {"fixed_time": "06:00", "target_date": "today"}, "halt": {"reason": "not yet"}},
    ],
    ids=["leftovers", "morning", "noon", "preseason", "required window", "required morning", "halted"],
)
def test_a_window_that_runs_only_for_missing_data_can_run(workflow):
    assert never(with_workflows(recovery=workflow)) == []


@pytest.mark.parametrize(
    ("workflow", "cause"),
    [
        ({**WINDOW, "schedule": {"fixed_time": "06:00", "target_date": "today"}}, "No missing game has tipped yet"),
        (
            {**WINDOW, "schedule": {"fixed_time": "22:00"}, "dependencies": {"requires": ["post_game_window_3"]}},
            "it waited for post_game_window_3",
        ),
    ],
    ids=["before any tip", "requires what comes later"],
)
def test_a_workflow_that_can_never_run_is_reported_with_line_and_cause(workflow, cause):
    text = with_workflows(hopeless=workflow)
    [problem] = never(text)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if row == "  hopeless:")
    assert problem.key == "workflows.hopeless"
    assert text.splitlines()[problem.line - 1].strip() == "schedule:"
    assert problem.line > line
    assert cause in problem.message
