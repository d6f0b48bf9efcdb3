"""The page of all alerts and findings is what the code raises, and the command that each says to type first exists."""

import json
import os
import re
import shlex

import pytest
from airflow.cli.cli_parser import get_parser

from orchestration.cli import parser
from orchestration.decisions.request import OF_RECONCILE, OF_WORKFLOW, check_request
from orchestration.generator.dags import build_dags
from orchestration.health.verdict import CAUSES, OF_A_SHADOW, TOLD_ELSEWHERE
from orchestration.words import AlertLevel
from support.generators import generator
from support.worlds import ROOT, ours

alerts = generator("alerts")
SAID = sorted(alerts.sites())
KINDS = {said.kind for said in SAID}
DAGS = build_dags(ours())


def test_the_page_is_current():
    assert alerts.PAGE.read_text() == alerts.page(), "run make docs"


def test_every_line_of_the_code_that_makes_an_alert_or_a_finding_is_read():
    read = {said.where for said in SAID}
    made = re.compile(r"(\b(Alert|Finding|bad|worse|level)|\bworse\))\((?!decision\.rule)")
    for path in sorted((ROOT / "plugins" / "orchestration").rglob("*.py")):
        if path.match("alerts/model.py") or path.match("health/findings.py"):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if made.search(line) and not re.search(r"\bdef |^class ", line):
                assert f"{path.relative_to(ROOT)}:{number}" in read


def test_what_decisions_tell_people_is_there_under_its_rule():
    assert {"missing_games", "catch_up", "found", "max_attempts_reached", "abort"} <= KINDS


def test_the_health_checks_lists_name_kinds_that_exist():
    assert {*CAUSES, *TOLD_ELSEWHERE, *OF_A_SHADOW} <= KINDS


@pytest.mark.parametrize("said", SAID, ids=lambda said: f"{said.kind} {said.where}")
def test_each_says_something_how_loud_and_who(said):
    assert re.search(r"\w", said.text) or said.kind == "misdated_tips"
    assert said.level in (AlertLevel.CRITICAL, AlertLevel.WARNING, "CRITICAL or WARNING") or "alerts." in said.level
    level = re.match(r"`alerts\.(\w+)`", said.level)
    assert level is None or hasattr(next(iter(ours().workflows.values())).alerts, level[1])


@pytest.mark.parametrize("command", sorted({said.command for said in SAID}))
def test_the_first_command_runs(command):
    program, *arguments = shlex.split(alerts.example(command))
    if program == "airflow":
        parsed = get_parser().parse_args(arguments)
        assert getattr(parsed, "dag_id", None) in {None, *DAGS}
        if arguments[:2] == ["dags", "trigger"]:
            check_request(
                json.loads(parsed.conf or "{}"), OF_RECONCILE if parsed.dag_id == "reconcile" else OF_WORKFLOW
            )
        return
    if program == "python":
        assert arguments[:2] == ["-m", "orchestration"]
        parser().parse_args(arguments[2:])
        return
    script = ROOT / program
    assert os.access(script, os.X_OK)
    name = re.search(r'_orchestration.sh" (\w+)', script.read_text())[1]
    parser().parse_args([name, *arguments])
