"""The commands plan, explain, describe, validate and schema."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from orchestration.cli import main
from orchestration.words import ExitCode
from support.seasons import document
from support.worlds import OLD_FILE, ROOT, changed_file, ours


@pytest.fixture(scope="module")
def games(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("games") / "schedule.json"
    path.write_text(document())
    return str(path)


def planned(capsys, *arguments):
    assert main(["plan", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)["decisions"]


def test_a_plan_is_one_object_with_an_object_per_decision(capsys, games):
    found = planned(capsys, "--date", "2026-01-14", "--games", games)
    assert len(found) == 148 - 1  # 8 workflows, 18 ticks, 3 more; 04:30 belongs to the day before
    first = next(d for d in found if d["workflow"] == "betting_lines" and d["action"] == "RUN")
    promised = "tick workflow action reason alert_level next_check_time target_date target_games calls"
    assert set(promised.split()) <= set(first)
    assert first["target_date"] == "2026-01-14"
    assert first["calls"] == [
        "oddsa_events",
        "oddsa_player_props each event of oddsa_events",
        "oddsa_game_lines each event of oddsa_events",
    ]


def test_a_changed_window_shows_in_the_plan(capsys, games, tmp_path):
    path = tmp_path / "w.yaml"
    ours = (ROOT / "config" / "workflows.yaml").read_text()
    path.write_text(ours.replace("frequency_hours: 2", "frequency_hours: 3"))

    def count(*more):
        found = planned(capsys, "--date", "2026-01-14", "--games", games, "--workflow", "betting_lines", *more)
        return sum(d["action"] == "RUN" for d in found)

    assert count() > count("--config", str(path)) > 0


def test_an_assumed_failure_changes_the_later_decisions(capsys, games, tmp_path):
    path = tmp_path / "assume.yaml"
    path.write_text("- {scraper: nbac_injury_report, until: '14:00', outcome: no_data}\n")
    found = planned(
        capsys, "--date", "2026-01-14", "--games", games, "--workflow", "injury_discovery", "--assume", str(path)
    )
    assert [d["tick"][11:16] for d in found if d["action"] == "RUN"] == ["06:00", "08:00", "10:00", "12:00", "14:00"]


def test_a_call_that_depends_on_a_failing_call_is_not_planned(capsys, games, tmp_path):
    path = tmp_path / "assume.yaml"
    path.write_text("- {scraper: oddsa_events, until: '15:00', outcome: failed}\n")
    asked = ("--date", "2026-01-14", "--games", games, "--workflow", "betting_lines", "--assume", str(path))
    runs = [d for d in planned(capsys, *asked) if d["action"] == "RUN"]
    failing = [d for d in runs if d["tick"][11:16] < "15:00"]
    assert failing
    assert {tuple(d["calls"]) for d in failing} == {("oddsa_events",)}
    assert {len(d["calls"]) for d in runs if d not in failing} == {3}


def test_a_date_outside_the_document_is_unknown_and_noted(capsys, games):
    assert main(["plan", "--date", "2026-08-14", "--games", games]) == 0
    shown = capsys.readouterr()
    assert f"note: {games} reaches from 2025-10-21 to 2026-04-12; the games of other dates are unknown" in shown.err
    assert "No games" not in shown.out
    reach = "the schedule reaches from 2025-10-21 to 2026-04-12"
    assert f"ABORT betting_lines        Schedule unknown: {reach}" in shown.out
    main(["explain", "--workflow", "betting_lines", "--at", "2026-08-14T13:00-04:00", "--games", games])
    shown = capsys.readouterr()
    assert ("note: " in shown.err, "ABORT" in shown.out) == (True, True)
    main(["plan", "--date", "2026-01-14", "--games", games])
    assert capsys.readouterr().err == ""


def test_unusable_rows_are_noted_and_the_rest_is_planned(capsys, tmp_path):
    teams = {"homeTeam": {"teamTricode": "BOS"}, "awayTeam": {"teamTricode": "LAL"}}
    good = {"gameId": "0022500001", "gameCode": "20260114/LALBOS", "gameDateTimeUTC": "2026-01-15T00:30:00Z", **teams}
    bad = {**good, "gameId": "0042500101", "gameCode": "20260120/", "homeTeam": {}, "awayTeam": {}}
    path = tmp_path / "games.json"
    path.write_text(json.dumps({"games": [good, bad]}))
    assert main(["plan", "--date", "2026-01-14", "--games", str(path)]) == 0
    shown = capsys.readouterr()
    assert shown.err == "note: 1 row left out: 0042500101 on 2026-01-20: no teams\n"
    assert "ABORT" not in shown.out
    assert main(["explain", "--workflow", "betting_lines", "--at", "2026-01-20T13:00-05:00", "--games", str(path)]) == 0


def test_explain_says_when_no_tip_is_known(capsys, tmp_path):
    teams = {"homeTeam": {"teamTricode": "BOS"}, "awayTeam": {"teamTricode": "LAL"}}
    game = {"gameId": "0042500101", "gameCode": "20260419/LALBOS", "gameDateTimeUTC": "2026-04-19T04:00:00Z", **teams}
    path = tmp_path / "games.json"
    path.write_text(json.dumps({"games": [game]}))
    main(["explain", "--workflow", "betting_lines", "--at", "2026-04-19T08:00-04:00", "--games", str(path)])
    assert "target date 2026-04-19, 1 game, 1 without a known tip" in capsys.readouterr().out


def test_a_plan_names_what_runs_and_counts_what_is_skipped(capsys, games):
    assert main(["plan", "--date", "2026-01-14", "--games", games]) == 0
    text = capsys.readouterr().out
    assert "Wed 14 Jan 2026" in text
    assert "06:00 RUN   morning_operations   In the window 06:00-10:00 ET, not done yet (32 calls)" in text
    assert "SKIP  7 workflows" in text


def test_explain_shows_every_check_and_the_values_of_the_answer(capsys, games):
    assert main(["explain", "--workflow", "injury_discovery", "--at", "2026-01-14T07:00-05:00", "--games", games]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "injury_discovery at Wed 14 Jan 07:00 ET: RUN"
    assert any("passed    not_a_game_day: SKIP on a day without games" in line for line in lines)
    assert any("answered  attempt" in line for line in lines)
    assert any("max_attempts = 9" in line for line in lines)


def test_checks_after_the_answer_are_not_asked(capsys, games):
    main(["explain", "--workflow", "betting_lines", "--at", "2026-01-14T07:00-05:00", "--games", games])
    text = capsys.readouterr().out
    assert "answered  waiting_for_required" in text
    assert "not asked due: RUN for all games of the day" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["plan", "--date", "2026-01-14", "--games", "/no/such/file"], "file '/no/such/file' does not exist"),
        (["explain", "--workflow", "nope", "--at", "2026-01-14T07:00-05:00"], "no workflow is named nope"),
    ],
)
def test_a_file_or_workflow_that_does_not_exist_is_called_wrongly(capsys, arguments, says):
    assert main(arguments) == ExitCode.USAGE
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("{}", "neither leagueSchedule.gameDates nor a list of games"),
        ('{"games": [{"homeTeam": {"teamTricode": "LAL"}, "awayTeam": {"teamTricode": "BOS"}}]}', "gameCode"),
    ],
)  # fmt: skip
def test_a_document_without_a_schedule_is_one_clear_line(capsys, tmp_path, text, says):
    path = tmp_path / "games.json"
    path.write_text(text)
    assert main(["plan", "--date", "2026-01-14", "--games", str(path)]) == ExitCode.UNKNOWN
    assert says in capsys.readouterr().err


def test_validate_exits_with_0_for_a_valid_file_and_1_for_a_broken_one(capsys, tmp_path):
    assert main(["validate", str(OLD_FILE)]) == 0
    assert "warning: " in capsys.readouterr().out
    bad = tmp_path / "w.yaml"
    bad.write_text("version: 1")
    assert main(["validate", str(bad)]) == 1
    assert f"{bad}:1:1: version" in capsys.readouterr().err


@pytest.mark.lesson("F4")
def test_validate_refuses_a_limit_of_attempts_that_no_day_reaches(capsys, tmp_path):
    path = tmp_path / "w.yaml"
    path.write_text(changed_file(workflows__injury_discovery__schedule__max_attempts_per_day=12))
    lines = path.read_text().splitlines()
    line = 1 + next(n for n, text in enumerate(lines) if text.strip() == "max_attempts_per_day: 12")
    assert main(["validate", str(path)]) == 1
    error = capsys.readouterr().err
    assert f"{path}:{line}:7: workflows.injury_discovery.schedule.max_attempts_per_day: a day never reaches 12" in error
    assert "it has 9 before its last tick. Write 9 or less" in error


def test_validate_makes_the_notifier_of_each_channel(capsys, tmp_path):
    pager = {"name": "pager", "notifier": "support.letterbox.Pager", "arguments": {"text": "{{ alert_text }}"}}
    path = tmp_path / "workflows.yaml"

    def validated(**changes):
        path.write_text(
            changed_file(settings__alerts={"channels": ["email", {**pager, **changes}]}, settings__notifications={})
        )
        code = main(["validate", str(path)])
        return code, "".join(capsys.readouterr())

    code, out = validated()
    assert (code, "warning" in out) == (0, False)
    code, out = validated(notifier="no_such_package.Notifier")
    assert (code, "channels.1.notifier: no_such_package.Notifier cannot be imported" in out) == (0, True)
    code, out = validated(notifier="support.letterbox.Letterbox")
    assert (code, "is not a notifier" in out) == (1, True)
    code, out = validated(arguments={"txt": "a"})
    assert (code, "refuses its arguments: TypeError" in out) == (1, True)


def test_validate_warns_of_a_window_that_can_never_run(capsys, tmp_path):
    path = tmp_path / "w.yaml"
    ours = (ROOT / "config" / "workflows.yaml").read_text()
    path.write_text(
        ours.replace("business_hours: {start: 8, end: 20}", "business_hours: {start: 6, end: 7}").replace(
            "window_before_game_hours: 6", "window_before_game_hours: 2"
        )
    )
    assert main(["validate", str(path)]) == 0
    out = capsys.readouterr().out
    assert "workflows.betting_lines: its window can never run on a game day" in out
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "business_hours: {start: 6" in text) - 2
    assert f"warning: {path}:{line}:5: " in out
    assert "business hours ended at 07:00 ET" in out
    main(["validate", str(ROOT / "config" / "workflows.yaml")])
    assert "warning" not in capsys.readouterr().out


def test_the_schema_for_editors_is_current(capsys):
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == (ROOT / "config" / "workflows.schema.json").read_text(), "run: make schema"


def test_both_files_fit_the_schema():
    import jsonschema
    import yaml

    schema = json.loads((ROOT / "config" / "workflows.schema.json").read_text())
    for path in (ROOT / "config" / "workflows.yaml", OLD_FILE):
        jsonschema.validate(yaml.safe_load(Path(path).read_text()), schema)


def test_a_reader_that_stops_reading_is_not_an_error(games):
    command = f"{sys.executable} -m orchestration plan --date 2026-01-14 --days 30 --verbose --games {games} | head -1"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}
    done = subprocess.run(command, shell=True, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "Wed 14 Jan 2026\n"
    assert "Traceback" not in done.stderr


@pytest.fixture(autouse=True)
def no_answers(monkeypatch):
    """BigQuery has no earlier answers, so `describe` waits for no connection."""
    monkeypatch.setattr("orchestration.cli.plan.past_answers", lambda *_: ())


def test_a_workflow_is_described_with_its_next_five_ticks(capsys):
    assert main(["describe", "post_game_window_2", "--as-of", "2026-01-14T22:30-05:00"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("post_game_window_2 (game_aware_yesterday, HIGH): Second box scores, ")
    ticks = ("Wed 14 Jan 23:00", "Thu 15 Jan 01:00", "Thu 15 Jan 06:00", "Thu 15 Jan 07:00", "Thu 15 Jan 08:00")
    assert f"Next ticks: {', '.join(f'{tick} ET' for tick in ticks)}." in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 79


def test_all_workflows_are_described(capsys):
    assert main(["describe"]) == 0
    out = capsys.readouterr().out
    for name, workflow in ours().workflows.items():
        assert f"{name} ({workflow.decision_type}, {workflow.priority.value}): " in out


def test_a_workflow_that_is_switched_off_has_no_ticks(capsys, tmp_path):
    path = tmp_path / "w.yaml"
    text = (ROOT / "config" / "workflows.yaml").read_text()
    path.write_text(text.replace("  referee_discovery:\n", "  referee_discovery:\n    enabled: false\n"))
    assert main(["describe", "referee_discovery", "--config", str(path)]) == 0
    out = capsys.readouterr().out
    assert "The workflow is switched off: it has no DAG." in out
    assert "Next ticks" not in out


def test_describe_suggests_the_nearest_workflow(capsys):
    assert main(["describe", "beting_lines"]) == ExitCode.USAGE
    assert "no workflow is named beting_lines (did you mean `betting_lines`?)" in capsys.readouterr().err


def test_describe_prints_one_json_object(capsys):
    assert main(["describe", "post_game_window_2", "--as-of", "2026-01-14T22:30-05:00"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert main(["describe", "post_game_window_2", "--as-of", "2026-01-14T22:30-05:00", "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)["workflows"]
    assert (found["workflow"], found["priority"], found["enabled"]) == ("post_game_window_2", "HIGH", True)
    assert all(" ".join(sentence.split()) in text for sentence in found["sentences"])
    assert found["next_asked"][:2] == ["2026-01-14T23:00:00-05:00", "2026-01-15T01:00:00-05:00"]
    assert main(["describe", "--json"]) == 0
    assert [one["workflow"] for one in json.loads(capsys.readouterr().out)["workflows"]] == list(ours().workflows)


def test_with_every_workflow_switched_off_a_plan_is_empty(capsys, tmp_path, monkeypatch):
    data = yaml.safe_load((ROOT / "config" / "workflows.yaml").read_text())
    for workflow in data["workflows"].values():
        workflow["enabled"] = False
    file = tmp_path / "workflows.yaml"
    file.write_text(yaml.safe_dump(data))
    monkeypatch.setenv("ORCHESTRATION_CONFIG", str(file))
    asked = []
    monkeypatch.setattr(
        "orchestration.audit.warehouse.Warehouse.query", lambda _, sql, parameters: asked.append(sql) or []
    )
    assert planned(capsys, "--date", "2026-01-14") == []
    assert len(asked) == 1
