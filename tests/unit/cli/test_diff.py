"""``diff``: two files, or two git revisions of one, over a season."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from orchestration.audit import warehouse
from orchestration.cli import main
from orchestration.nba.document import read_document
from orchestration.words import ExitCode
from support.seasons import document
from support.worlds import ROOT

OURS = str(ROOT / "config" / "workflows.yaml")
DAYS = ["--from", "2026-01-13", "--to", "2026-01-14"]
EXAMPLE = ["--example", *DAYS]


@pytest.fixture
def moved(tmp_path):
    """Our file with a window an hour later."""
    path = tmp_path / "moved.yaml"
    path.write_text((ROOT / "config" / "workflows.yaml").read_text().replace("'22:00'", "'23:00'"))
    return str(path)


def git(folder, *arguments):
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", *arguments],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


@pytest.fixture
def repository(tmp_path, moved, monkeypatch):
    """A repository whose last commit moves the window; one is in it."""
    folder = tmp_path / "repository"
    (folder / "config").mkdir(parents=True)
    file = folder / "config" / "workflows.yaml"
    git(folder, "init", "-q", "-b", "main")
    for source in (Path(OURS), Path(moved)):
        file.write_text(source.read_text())
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "a commit")
    monkeypatch.chdir(folder)
    return folder


def test_no_change_exits_with_0(capsys):
    assert main(["diff", OURS, OURS, *EXAMPLE]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing changes."


def test_a_change_exits_with_1_and_fits_80_columns(moved, capsys):
    assert main(["diff", OURS, moved, *EXAMPLE]) == 1
    out = capsys.readouterr().out
    assert "post_game_window_1: 2 runs gained, 2 runs lost; " in out
    assert "deadlines: by 22:45 ET 2 -> 0, by 23:45 ET 0 -> 2" in out
    assert "before: SKIP Not at 22:00 ET" in out
    assert max(len(line) for line in out.splitlines() if OURS not in line and moved not in line) <= 79


def test_json_has_all_changes(moved, capsys):
    assert main(["diff", OURS, moved, *EXAMPLE, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    window = next(one for one in found["workflows"] if one["workflow"] == "post_game_window_1")
    assert window["run_gained"] == ["2026-01-13T23:00:00-05:00", "2026-01-14T23:00:00-05:00"]
    assert {first["kind"] for first in window["firsts"]} == {"run_gained", "run_lost"}
    assert found["games"][0]["what"] == "collected"
    assert set(found["a_day"]) == {"runs", "calls", "GB of BigQuery", "dollars"}
    assert found["a_day"]["calls"]["before"] > found["a_day"]["calls"]["after"]


def test_markdown_has_tables_and_details_and_escapes_our_texts(moved, capsys):
    assert main(["diff", OURS, moved, *EXAMPLE, "--markdown"]) == 1
    out = capsys.readouterr().out
    assert "| post\\_game\\_window\\_1 | 2 runs gained, 2 runs lost | " in out
    assert out.count("<details>") == out.count("</details>") == 1
    for table in out.split("\n\n"):
        rows = [line for line in table.splitlines() if line.startswith("|")]
        assert len({row.replace("\\|", "").count("|") for row in rows}) <= 1


def test_both_files_may_be_git_revisions(repository, capsys):
    assert main(["diff", "HEAD~1:config/workflows.yaml", "config/workflows.yaml", *EXAMPLE]) == 1
    assert "fixed_time: 22:00 -> 23:00" in capsys.readouterr().out
    assert main(["diff", "HEAD:config/workflows.yaml", "main:./config/workflows.yaml", *EXAMPLE]) == 0


@pytest.mark.parametrize(
    ("old", "says"),
    [
        ("HEAD~1:config/workflow.yaml", "revision HEAD~1 has no file 'config/workflow.yaml' (did you mean"),
        ("HED:config/workflows.yaml", "git knows no revision 'HED' here (did you mean `HEAD`?)"),
        ("config/worflows.yaml", "there is no file config/worflows.yaml (did you mean `workflows.yaml`?)"),
        ("HEAD~1", "or a file in git: HEAD~1:config/workflows.yaml"),
        ("config", "config: 1 error\nconfig: cannot be read: Is a directory"),
    ],
)
def test_a_file_or_revision_that_does_not_exist_exits_with_3_and_names_the_nearest(old, says, repository, capsys):
    assert main(["diff", old, OURS, *EXAMPLE]) == ExitCode.UNKNOWN
    assert says in capsys.readouterr().err


def test_a_broken_file_exits_with_3_and_names_line_and_column(moved, tmp_path, capsys):
    broken = tmp_path / "broken.yaml"
    broken.write_text(Path(moved).read_text().replace("frequency_hours: 2", "frequency_hour: 2"))
    assert main(["diff", OURS, str(broken), *EXAMPLE]) == ExitCode.UNKNOWN
    assert "unknown key (did you mean `frequency_hours`?)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (["--example", "--from", "2026-08-01", "--to", "2026-08-02"], ExitCode.UNKNOWN),
        (["--games", OURS], ExitCode.UNKNOWN),
        (["--example", "--assume", OURS], ExitCode.UNKNOWN),
        (["--example", "--from", "2026-01-14", "--to", "2026-01-13"], ExitCode.USAGE),
        (["--games", "/no/such/file"], ExitCode.USAGE),
        (["--example", "--assume", "/no/such/file"], ExitCode.USAGE),
    ],
)
def test_unusable_dates_and_files_give_no_answer(more, code, capsys):
    assert main(["diff", OURS, OURS, *more]) == code
    out, err = capsys.readouterr()
    assert (out, len(err) > 20, "Traceback" in err) == ("", True, False)


@pytest.mark.parametrize(
    "arguments",
    [[], [OURS], [OURS, OURS, "--from", "soon"], [OURS, OURS, "--json", "--markdown"],
     [OURS, OURS, "--example", "--games", OURS]],
)  # fmt: skip
def test_a_wrong_call_exits_with_64(arguments):
    assert main(["diff", *arguments]) == ExitCode.USAGE


def test_a_crash_exits_with_3(monkeypatch, capsys):
    monkeypatch.setattr("orchestration.cli.diff.simulate", lambda *_: 1 / 0)
    assert main(["diff", OURS, OURS, *EXAMPLE]) == ExitCode.UNKNOWN
    assert "diff: diff itself failed: ZeroDivisionError" in capsys.readouterr().err


def test_the_games_may_come_from_a_document(moved, tmp_path, capsys):
    path = tmp_path / "schedule.json"
    path.write_text(document())
    assert main(["diff", OURS, moved, "--games", str(path), *DAYS, "--json"]) == 1
    of_document = json.loads(capsys.readouterr().out)
    main(["diff", OURS, moved, *EXAMPLE, "--json"])
    of_example = json.loads(capsys.readouterr().out)
    assert of_document.pop("schedule") == str(path)
    assert of_example.pop("schedule") == "the example season"
    assert of_document == of_example


def row(game):
    stated = {**game.to_dict(), "status": 3, "status_text": "Final", "tip": game.tip.timestamp()}
    return {"kind": "game", "payload": json.dumps(stated)}


def test_the_games_come_from_the_warehouse_by_default(moved, monkeypatch, capsys):
    asked = []

    def query(_, statement, parameters):
        asked.append(parameters)
        played = read_document(document()).games
        return [row(g) for g in played if parameters["schedule_from"] <= g.date <= parameters["schedule_to"]]

    monkeypatch.setattr(warehouse.Warehouse, "query", query)
    assert main(["diff", OURS, moved, *DAYS]) == 1
    assert "over nba_raw.nbac_schedule in the warehouse: Tue 13 Jan" in " ".join(capsys.readouterr().out.split())
    [parameters] = asked
    assert [str(day) for day in parameters.values()] == ["2026-01-13", "2026-01-14"]


def test_without_a_warehouse_the_example_season_is_used_and_noted(monkeypatch, capsys):
    def refuse(*_):
        raise warehouse.WarehouseError("BigQuery did not answer")

    monkeypatch.setattr(warehouse.Warehouse, "query", refuse)
    assert main(["diff", OURS, OURS, *DAYS]) == 0
    shown = capsys.readouterr()
    assert "over the example season" in " ".join(shown.out.split())
    assert "note: the example season instead of the warehouse's schedule: BigQuery did not answer" in shown.err


def test_a_halt_in_both_files_is_noted(moved, tmp_path, capsys):
    def halted(file, name):
        path = tmp_path / name
        path.write_text(Path(file).read_text() + "  halt: {reason: off-season, until: 2026-10-15}\n")
        return str(path)

    assert main(["diff", halted(OURS, "old.yaml"), halted(moved, "new.yaml"), *EXAMPLE]) == 0
    assert "note: everything is halted in both (settings.halt)" in capsys.readouterr().err
    assert main(["diff", OURS, halted(moved, "new.yaml"), *EXAMPLE]) == 1
    assert capsys.readouterr().err == ""


def test_assume_replaces_the_usual_outcomes(tmp_path, capsys):
    fewer = tmp_path / "fewer.yaml"
    fewer.write_text(Path(OURS).read_text().replace("max_attempts_per_day: 9", "max_attempts_per_day: 5"))
    assert main(["diff", OURS, str(fewer), *EXAMPLE]) == 0
    assume = tmp_path / "assume.yaml"
    assume.write_text("- {scraper: nbac_injury_report, outcome: no_data}\n")
    assert main(["diff", OURS, str(fewer), *EXAMPLE, "--assume", str(assume)]) == 1
    assert "All 5 attempts for 2026-01-13 are used up" in capsys.readouterr().out


STEP = next(
    step["run"]
    for step in yaml.safe_load((ROOT / ".github" / "workflows" / "diff.yaml").read_text())["jobs"]["comment"]["steps"]
    if step.get("name") == "compare"
)


def test_the_step_of_the_github_workflow_writes_the_comment(repository, tmp_path):
    (repository / "bin").symlink_to(ROOT / "bin")

    def run():
        files = {name: str(tmp_path / name) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_ENV")}
        env = {**os.environ, "ORCHESTRATION_PYTHON": sys.executable, **files}
        step = STEP.replace("--markdown", "--markdown --from 2026-01-13 --to 2026-01-13")
        subprocess.run(["bash", "-e", "-o", "pipefail", "-c", step], cwd=repository, env=env, check=True)
        return (repository / "diff.md").read_text(), (tmp_path / "GITHUB_ENV").read_text().splitlines()[-1]

    comment, code = run()
    assert "| post\\_game\\_window\\_1 | 1 run gained, 1 run lost | " in comment
    assert code == "code=1"
    (repository / "config" / "workflows.yaml").write_text("version: [")
    comment, code = run()
    assert comment.startswith("### The effect of this change cannot be determined\n\n```\ndiff: ")
    assert code == "code=3"
