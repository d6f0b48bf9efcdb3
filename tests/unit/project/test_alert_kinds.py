"""The registry of kinds: it holds all of them, each is raised and tested, and the first command of each exists."""

import ast
import json
import os
import re
import shlex

import pytest
from airflow.cli.cli_parser import get_parser

from orchestration.alerts.message import MOST_OF_SUBJECT, MOST_OF_TEXT, subject_of
from orchestration.alerts.model import alert
from orchestration.decisions.request import ReconcileRequest, Request
from orchestration.generator.dags import build_dags
from orchestration.health import kinds, task_kinds
from orchestration.health.findings import AlertedBy, FindingKind
from orchestration.health.kinds import KINDS
from orchestration.health.task_kinds import OF_DECISIONS
from orchestration.words import AlertLevel
from support.command_line import parse
from support.generators import generator
from support.worlds import ROOT, ours

alerts = generator("alerts")
PACKAGE = ROOT / "plugins" / "orchestration"
SOURCES = {path: path.read_text() for path in sorted(PACKAGE.rglob("*.py")) if not path.match("health/*kinds.py")}
CONSTANTS = {name: kind for name, kind in {**vars(kinds), **vars(task_kinds)}.items() if isinstance(kind, FindingKind)}
OTHER_MEANINGS = {
    "abort": "a task",
    "healed": "a key of settings.notifications",
    "schedule_unknown": "a rule",
    "slate_vanished": "a rule",
    "missing_games": "a rule",
    "catch_up": "a rule",
    "found": "a rule",
    "max_attempts_reached": "a rule",
    "unknown_scraper": "an error type of calls, and something seen around us",
    "unusable_rows": "a rule",
    "deadline_missed": "a column",
    "blind": "how a text begins that the cleanup has stored",
}
"""Kind ids that are also names of other things."""
DAGS = build_dags(ours())


def ids(kind):
    return f"{kind.id} {kind.text}"


def test_the_page_is_current():
    assert alerts.PAGE.read_text() == alerts.page(), "run make docs"


def test_every_kind_has_its_own_line_on_the_page():
    lines = [line for line in alerts.page().splitlines() if line.startswith("* `")]
    assert len(lines) == len(set(lines)) == len(KINDS) == len(set(KINDS))


def test_only_the_registry_makes_kinds():
    made = [path for path, source in SOURCES.items() if re.search(r"(?<!class )FindingKind\(|\.also\(", source)]
    assert made == []


def test_no_id_of_a_kind_is_written_outside_the_registry():
    bare = {kind.id for kind in KINDS} - set(OTHER_MEANINGS)
    for path, source in SOURCES.items():
        texts = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
        assert not texts & bare, path


@pytest.mark.parametrize("name", CONSTANTS)
def test_every_kind_is_raised(name):
    if CONSTANTS[name].alerted_by is AlertedBy.DECIDE:
        assert CONSTANTS[name] is OF_DECISIONS[CONSTANTS[name].id]
        return
    used = re.compile(rf"\b{name}\b")
    assert any(used.search(source) for path, source in SOURCES.items()) or name == "HEALED"


@pytest.mark.parametrize("kind_id", sorted({kind.id for kind in KINDS}))
def test_every_kind_is_named_by_a_test(kind_id):
    tests = {path for path in (ROOT / "tests").rglob("test_*.py") if path.name != "test_alert_kinds.py"}
    # tests/system/test_faults.py plays what this one lists.
    faults = ROOT / "docs" / "generate" / "faults.py"
    assert any(re.search(rf"\b{kind_id}\b", path.read_text()) for path in (*tests, faults))


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_each_kind_has_a_sentence_and_a_level(kind):
    assert re.search(r"\w", kind.text)
    loud = kind.level in (AlertLevel.CRITICAL, AlertLevel.WARNING)
    assert loud or (kind.level is AlertLevel.NONE and kind.alerts_key)
    assert kind.alerts_key is None or hasattr(next(iter(ours().workflows.values())).alerts, kind.alerts_key)


def test_each_kind_that_the_health_check_raises_belongs_to_one_part_of_the_status():
    raised = {
        CONSTANTS[name].id
        for path, source in SOURCES.items()
        if path.match("health/*.py")
        for name in re.findall(r"\bkinds\.([A-Z]\w*)", source)
    }
    assert raised == {kind.id for kind in KINDS if kind.part}
    assert all(one.part is other.part for one in KINDS for other in KINDS if one.id == other.id)


def test_what_a_kind_explains_is_a_kind():
    known = {kind.id for kind in KINDS}
    assert {kind_id for kind in KINDS for kind_id in kind.explains | kind.explains_own} <= known
    assert {kind.cause.split()[0] for kind in KINDS if kind.cause} <= known


@pytest.mark.parametrize("command", sorted({alerts.command(kind) for kind in KINDS if kind.command}))
def test_the_first_command_runs(command):
    program, *arguments = shlex.split(alerts.example(command))
    if program == "airflow":
        parsed = get_parser().parse_args(arguments)
        assert getattr(parsed, "dag_id", None) in {None, *DAGS}
        if arguments[:2] == ["dags", "trigger"]:
            request = ReconcileRequest if parsed.dag_id == "reconcile" else Request
            request.check(json.loads(parsed.conf or "{}"))
        return
    if program == "python":
        assert arguments[:2] == ["-m", "orchestration"]
        parse(*arguments[2:])
        return
    script = ROOT / program
    assert os.access(script, os.X_OK)
    name = re.search(r'_orchestration.sh" (\w+)', script.read_text())[1]
    parse(name, *arguments)


LONG = {
    "workflow": "nbac_player_boxscore_summary",
    "why": "BigQuery did not answer: ServiceUnavailable: 503 POST https://bigquery.googleapis.com/bigquery/v2/projects/"
    "nba-props-platform/queries?prettyPrint=false: Error encountered during execution. Retrying may solve the problem. "
    "It is a long text that nobody reads on a phone at six in the morning, and it goes on and on",
    "file": "gs://nba-scraped-data/nba-com/player-boxscores/2026-01-14/20260114_230501.json",
    "which": "nbac_player_boxscore, nbac_team_boxscore, nbac_play_by_play and 12 more",
    "scrapers": "nbac_player_boxscore, nbac_team_boxscore, nbac_play_by_play and 12 more",
    "when": "from 15:00 to 16:00",
    "day": "2026-01-14",
    "since": "Wed 14 Jan 15:00",
    "proof": "the last row is of 12:00 ET",
    "fails": "blocks us or answers nonsense",
    "error": "DownloadDecodeMaxRetryException",
    "games": "12 games",
    "files": "147 files",
    "cure": "nba_orchestration.scraper_execution_log_v2 (settings.service_log) names no file either",
    "more": ". 12 older files never arrived",
    "again": ". reconcile fetches them again at 11:00 ET",
    "short": "21 records, usually 42",
    "reason": "BigQuery did not answer: ServiceUnavailable: 503 POST https://bigquery.googleapis.com/x: Try again",
    "dataset": "nba_orchestration",
    "log": "nba_orchestration.scraper_execution_log",
    "what": " nbac_player_boxscore other parameters.",
}  # fmt: skip
"""Realistic long values of the placeholders; a count for all others."""
WRITTEN_ELSEWHERE = {"rules_changed", "rules_since", "healed"}
"""These quote the rule of a workflow in words, or other alerts."""


def filled(kind):
    values = {name: LONG.get(name, "12") for name in re.findall(r"{(\w+)}", kind.text + kind.command)}
    return alert(
        kind, LONG["workflow"], level=AlertLevel.CRITICAL, **{n: v for n, v in values.items() if n != "workflow"}
    )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.id not in WRITTEN_ELSEWHERE], ids=ids)
def test_a_message_fits_a_phone_even_with_long_values(kind):
    one = filled(kind)
    assert len(one.text) <= MOST_OF_TEXT, one.text
    assert "https://" not in one.text


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_a_subject_says_more_than_the_level(kind):
    subject = subject_of(filled(kind))
    assert len(subject) <= MOST_OF_SUBJECT
    assert len(subject.split()) >= 3 or kind.text.startswith("{")
