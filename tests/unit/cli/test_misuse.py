"""Whatever a user types and whatever breaks: two lines that say so, and no exit code that is a verdict."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from orchestration import __version__
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cli import VERDICTS, main
from orchestration.cli.app import MODULES, SCRIPTS
from orchestration.words import ExitCode
from support.command_line import COMMANDS, parse
from support.worlds import ROOT

FILES = sorted((ROOT / "bin" / "orchestration").glob("[a-z]*.sh"))
SPAN = ["--from", "2026-01-14", "--to", "2026-01-14"]
OURS = str(ROOT / "config" / "workflows.yaml")
REQUIRED = {
    "compare": ["--with", "theirs"],
    "backtest": SPAN,
    "diff": [OURS, OURS, "--example", *SPAN],
    "plan": ["--date", "2026-01-14"],
    "explain": ["--workflow", "betting_lines", "--at", "2026-01-14T13:00-05:00"],
    "check-scraper": ["nbac_player_list"],
}
"""The options and arguments that a command requires."""
OF_THE_WAREHOUSE = sorted({*VERDICTS, "plan", "explain"} - {"diff"})
HOSTILE = "raise SystemExit('the current folder was imported')\n"


@pytest.fixture
def broken(monkeypatch):
    """Every query and every append raises an error that is our own fault."""

    def fail(*_, **__):
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr(Warehouse, "query", fail)
    monkeypatch.setattr(Warehouse, "append", fail)


@pytest.mark.parametrize("command", OF_THE_WAREHOUSE)
def test_a_crash_is_3_in_two_lines(command, broken, capsys):
    assert main([command, *REQUIRED.get(command, [])]) == ExitCode.UNKNOWN
    out, err = capsys.readouterr()
    first, second = (out or err).splitlines()[-2:]
    # `status` shows the other parts all the same.
    if command != "status":
        head = "UNKNOWN" if command == "health" else command
        assert first == f"{head}: {command} itself failed: RuntimeError: a fault of our own"
        assert second == "  next: ORCHESTRATION_DEBUG=1 shows where"
    assert "a fault of our own" in out + err
    assert "Traceback" not in out + err


def test_with_debug_a_crash_is_raised(broken, monkeypatch):
    monkeypatch.setenv("ORCHESTRATION_DEBUG", "1")
    with pytest.raises(RuntimeError, match="a fault of our own"):
        main(["timeline"])


@pytest.mark.parametrize("command", [name for name in OF_THE_WAREHOUSE if name not in ("explain", "reconcile")])
def test_json_without_an_answer_is_one_object(command, monkeypatch, capsys):
    def refuse(*_, **__):
        raise WarehouseError("BigQuery did not answer")

    monkeypatch.setattr(Warehouse, "query", refuse)
    assert main([command, *REQUIRED.get(command, []), "--json"]) == ExitCode.UNKNOWN
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "UNKNOWN"
    if command != "status":
        assert found["reason"] == "BigQuery did not answer"
        assert found["next"].startswith("check the connection google_cloud_default")


def test_a_wrong_option_is_one_json_object_too(capsys):
    assert main(["missing", "--json", "--date", "someday"]) == ExitCode.USAGE
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"verdict", "reason", "next"}
    assert "'someday' is not a date. Write YYYY-MM-DD, for example 2026-01-14." in found["reason"]


def test_a_backtest_without_an_answer_is_3(broken, monkeypatch, capsys):
    span = ["backtest", "--from", "2026-01-14", "--to"]
    assert main([*span, "2026-01-14"]) == ExitCode.UNKNOWN
    assert "a fault of our own" in capsys.readouterr().err
    assert main([*span, "2026-01-13"]) == ExitCode.USAGE
    assert main([*span, "2026-03-14"]) == ExitCode.USAGE
    assert "backtest: from 2026-01-14 to 2026-03-14 must be 1 to 31 days" in capsys.readouterr().err
    monkeypatch.setattr(Warehouse, "query", lambda *_: [])
    assert main([*span, "2026-01-14"]) == ExitCode.UNKNOWN
    assert "there is no decision on record" in capsys.readouterr().err
    assert main(span) == ExitCode.USAGE


def test_a_broken_configuration_is_3_for_every_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ORCHESTRATION_CONFIG", str(tmp_path / "nothing.yaml"))
    # Where there has never been a good one, either.
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    for command in {*VERDICTS, *REQUIRED} - {"diff"}:
        assert main([command, *REQUIRED.get(command, [])]) == ExitCode.UNKNOWN
    assert "Traceback" not in capsys.readouterr().err
    assert main(["health", "--json"]) == ExitCode.UNKNOWN
    assert json.loads(capsys.readouterr().out)["next"] == "python -m orchestration validate"


def test_a_day_that_has_not_begun_is_unknown(capsys):
    assert main(["health", "--date", "2099-01-14"]) == ExitCode.UNKNOWN
    assert "UNKNOWN: 2099-01-14 has not begun" in capsys.readouterr().out


def test_a_crash_of_a_command_without_a_verdict_is_3_too(monkeypatch, capsys):
    monkeypatch.setattr("orchestration.config.file.schema_text", lambda: 1 / 0)
    assert main(["schema"]) == ExitCode.UNKNOWN
    assert capsys.readouterr().err.splitlines() == [
        "schema: schema itself failed: ZeroDivisionError: division by zero",
        "  next: ORCHESTRATION_DEBUG=1 shows where",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["health", "--date", "someday"],
        ["health", "--date", "0001-01-01"],
        ["health", "--date", "9999-12-31"],
        ["health", "--as-of", "2026-01-14"],
        ["health", "--nonsense"],
        ["missing", "--date", "14.1.2026"],
        ["failures", "--days", "0"],
        ["reconcile", "--max-runs", "-1"],
        ["plan", "--date", "2026-01-14", "--days", "500"],
        ["compare", "--with", "a-b"],
        ["status", "extra"],
        ["nonsense"],
    ],
)
def test_misuse_is_64_in_two_lines(arguments, capsys):
    assert main(arguments) == ExitCode.USAGE
    out, err = capsys.readouterr()
    what, following = err.splitlines()
    assert (out, what.split(": ")[0], following.startswith("  next: ")) == ("", arguments[0], True)
    assert len(what) < 140


def test_without_a_command_the_help_is_shown(capsys):
    assert main([]) == ExitCode.USAGE
    out, err = capsys.readouterr()
    assert ("Start here." in out, err) == (True, "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["helth"], "Did you mean 'health'?"),
        (["health", "--dat", "2026-01-14"], "--date"),
        (["check-scraper", "nbac_playr_list"], "(did you mean `nbac_player_list`?)"),
    ],
)
def test_the_nearest_name_is_suggested(arguments, says, capsys):
    assert main(arguments) == ExitCode.USAGE
    assert says in capsys.readouterr().err


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"orchestration {__version__}\n"


@pytest.mark.parametrize("arguments", [["-h"], ["health", "-h"]])
def test_help_has_a_short_option(arguments, capsys):
    assert main(arguments) == 0
    assert "Start here." in capsys.readouterr().out


@pytest.mark.parametrize("command", MODULES)
def test_every_command_has_help_with_examples_that_parse(command, capsys):
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    examples = [line.split()[3:] for line in text.splitlines() if line.startswith("   python -m orchestration")]
    assert 1 <= len(examples) <= 2
    for name, *arguments in examples:
        given = arguments[: arguments.index(">")] if ">" in arguments else arguments
        parse(name, *(OURS if one.endswith(".yaml") else one for one in given))
    assert all(f"{code.value} {code.meaning}" in text for code in ExitCode)
    assert "\x1b" not in text


def test_the_table_of_exit_codes_stands_in_the_help_and_in_the_reference_of_the_scripts(capsys):
    main(["--help"])
    text = capsys.readouterr().out
    reference = (ROOT / "bin" / "orchestration" / "README.md").read_text()
    for code in ExitCode:
        assert f"{code.value} {code.meaning}" in text
        assert f"| {code.value} | {code.meaning} |" in reference


def test_each_script_runs_the_command_that_its_completion_is_for():
    ran = {re.search(r'_orchestration.sh" (\w+)', file.read_text())[1]: file.name for file in FILES}
    assert ran == SCRIPTS


def test_commands_stand_in_the_module_that_the_table_names():
    for name, module in MODULES.items():
        command = COMMANDS.get_command(None, name)
        assert command.callback.__wrapped__.__module__ == f"orchestration.cli.{module}"


def test_a_shell_completes_options_and_the_names_of_workflows(folder):
    script = ROOT / "bin" / "orchestration" / "plan.sh"
    for typed, expected in (("plan.sh --da", {"--date", "--days"}), ("plan.sh --workflow bet", {"betting_lines"})):
        ask = {"_ORCHESTRATION_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
        done = run(script, cwd=folder, **ask)
        assert (set(done.stdout.split()), done.returncode) == (expected, 0)


def test_plan_and_explain_suggest_the_nearest_workflow(capsys):
    for arguments in (
        ["plan", "--date", "2026-01-14", "--workflow"],
        ["explain", "--at", "2026-01-14T13:00-05:00", "--workflow"],
    ):
        assert main([*arguments, "beting_lines"]) == ExitCode.USAGE
        assert "no workflow is named beting_lines (did you mean `betting_lines`?)" in capsys.readouterr().err
    assert main(["plan", "--date", "2026-01-14", "--workflow", "nosuch"]) == ExitCode.USAGE
    assert "no workflow is named nosuch\n  next: choose from schedule_dependency, " in capsys.readouterr().err


def test_an_output_without_a_character_shows_another_character():
    command = [sys.executable, "-m", "orchestration", "validate", "/no/such/ü.yaml"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "plugins"), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def run(script, *arguments, cwd, **env):
    return subprocess.run(
        [str(script), *arguments],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "HOME": str(cwd), "ORCHESTRATION_PYTHON": sys.executable, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path):
    """A folder in which everything has the name of something of ours or of Python's."""
    here = tmp_path / "a folder"
    (here / "bin" / "orchestration").mkdir(parents=True)
    (here / "orchestration").mkdir()
    for name in ("orchestration/__init__.py", "orchestration/__main__.py", "json.py", "argparse.py", "pydantic.py"):
        (here / name).write_text(HOSTILE)
    return here


@pytest.mark.parametrize("script", FILES, ids=lambda script: script.name)
def test_a_script_works_through_a_link_from_any_folder_with_cdpath(script, folder):
    link = folder / "my link"
    link.symlink_to(script)
    for name in (script, link):
        done = run(name, "--help", cwd=folder, CDPATH=f"{folder}:.", PYTHONPATH=f"{folder}::")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.split()[:2] == ["Usage:", name.name.split()[0]]


def test_a_script_works_where_the_path_has_blanks(folder):
    copy = folder / "the project"
    (copy / "bin").mkdir(parents=True)
    shutil.copytree(ROOT / "bin" / "orchestration", copy / "bin" / "orchestration")
    (copy / "plugins").symlink_to(ROOT / "plugins")
    done = run(copy / "bin" / "orchestration" / "plan.sh", "--help", cwd=folder, CDPATH=".")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_script_without_python_or_its_packages_exits_with_3(tmp_path):
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    for python in (str(bare), "/bin/false"):
        done = run(FILES[0], cwd=tmp_path, ORCHESTRATION_PYTHON=python)
        assert done.returncode == ExitCode.UNKNOWN
        assert "Traceback" not in done.stderr
