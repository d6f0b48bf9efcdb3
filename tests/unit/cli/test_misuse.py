"""Whatever somebody types, and whatever breaks: one line that says what, and no exit code that is a verdict."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from orchestration import cli
from orchestration.audit.warehouse import Warehouse
from orchestration.cli import CRASHED, UNKNOWN, VERDICTS, main
from support.worlds import ROOT

SCRIPTS = sorted((ROOT / "bin" / "orchestration").glob("[a-z]*.sh"))
MORE = {"compare": ["--with", "theirs"]}
"""What a command needs to be called at all."""
HOSTILE = "raise SystemExit('the current folder was imported')\n"


@pytest.fixture
def broken(monkeypatch):
    """Nothing works: not even what makes a Warehouse."""

    def fail(*_, **__):
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr(Warehouse, "query", fail)
    monkeypatch.setattr(Warehouse, "append", fail)


@pytest.mark.parametrize("command", sorted(VERDICTS))
def test_a_crash_of_a_command_with_a_verdict_is_unknown(command, broken, capsys):
    assert main([command, *MORE.get(command, [])]) == UNKNOWN
    out, err = capsys.readouterr()
    assert "a fault of our own" in out + err
    assert "Traceback" not in out + err


def test_a_backtest_that_cannot_be_told_is_2(broken, monkeypatch, capsys):
    span = ["backtest", "--from", "2026-01-14", "--to"]
    assert main([*span, "2026-01-14"]) == 2
    assert "a fault of our own" in capsys.readouterr().err
    assert main([*span, "2026-01-13"]) == 2
    assert main([*span, "2026-03-14"]) == 2
    assert "backtest: from 2026-01-14 to 2026-03-14 must be 1 to 31 days" in capsys.readouterr().err
    monkeypatch.setattr(Warehouse, "query", lambda *_: [])
    assert main([*span, "2026-01-14"]) == 2
    assert "there is no decision on record" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(span)
    assert ended.value.code == 2


def test_health_says_so_to_machines_too(broken, capsys):
    assert main(["health", "--json"]) == UNKNOWN
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], "a fault of our own" in found["reason"]) == ("UNKNOWN", True)


def test_with_a_broken_configuration_nothing_is_known(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ORCHESTRATION_CONFIG", str(tmp_path / "nothing.yaml"))
    # Where there has never been a good one, either.
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    for command in VERDICTS:
        assert main([command, *MORE.get(command, [])]) == UNKNOWN
    assert main(["health", "--json"]) == UNKNOWN
    assert "Traceback" not in capsys.readouterr().err


def test_a_day_that_has_not_begun_is_unknown(capsys):
    assert main(["health", "--date", "2099-01-14"]) == UNKNOWN
    assert "UNKNOWN: 2099-01-14 has not begun" in capsys.readouterr().out


def test_a_fault_of_our_own_in_another_command_has_a_code_of_its_own(monkeypatch, capsys):
    monkeypatch.setattr(cli, "_run", lambda _: 1 / 0)
    assert main(["schema"]) == CRASHED
    assert capsys.readouterr().err.splitlines() == [
        "schema: ZeroDivisionError: division by zero",
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
        ["status", "extra"],
        ["nonsense"],
        [],
    ],
)
def test_misuse_is_no_verdict(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == UNKNOWN
    assert "error: " in capsys.readouterr().err


def test_a_plan_for_a_workflow_that_there_is_not_names_the_nearest(capsys):
    for arguments in (
        ["plan", "--date", "2026-01-14", "--workflow"],
        ["explain", "--at", "2026-01-14T13:00-05:00", "--workflow"],
    ):
        assert main([*arguments, "beting_lines"]) == 1
        assert "no workflow is named beting_lines (did you mean `betting_lines`?)" in capsys.readouterr().err
    assert main(["plan", "--date", "2026-01-14", "--workflow", "nosuch"]) == 1
    assert "no workflow is named nosuch; there are " in capsys.readouterr().err


def test_an_output_that_cannot_show_a_character_shows_another():
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


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_works_through_a_link_from_any_folder_with_cdpath(script, folder):
    link = folder / "my link"
    link.symlink_to(script)
    for name in (script, link):
        done = run(name, "--help", cwd=folder, CDPATH=f"{folder}:.", PYTHONPATH=f"{folder}::")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: python -m orchestration ")


def test_a_script_works_where_the_path_has_blanks(folder):
    copy = folder / "the project"
    (copy / "bin").mkdir(parents=True)
    shutil.copytree(ROOT / "bin" / "orchestration", copy / "bin" / "orchestration")
    (copy / "plugins").symlink_to(ROOT / "plugins")
    done = run(copy / "bin" / "orchestration" / "plan.sh", "--help", cwd=folder, CDPATH=".")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_script_without_what_it_needs_is_unknown(tmp_path):
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    for python in (str(bare), "/bin/false"):
        done = run(SCRIPTS[0], cwd=tmp_path, ORCHESTRATION_PYTHON=python)
        assert done.returncode == UNKNOWN
        assert "Traceback" not in done.stderr
