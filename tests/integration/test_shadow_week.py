"""A week beside the old system with five of its known mistakes: compare names each of them, and nothing else."""

import json
from datetime import date, timedelta

import pytest
import yaml

from orchestration.audit.inputs import decision_inputs
from orchestration.audit.outbox import Outbox
from orchestration.audit.setup import init
from orchestration.audit.warehouse import Warehouse
from orchestration.cli import main
from orchestration.decisions.engine import decide
from orchestration.records.ids import TaskKey, decision_id
from orchestration.records.tables import DecisionRecord
from orchestration.vocabulary.settings import Settings
from orchestration.words import ExitCode
from support.old_system import create_old_tables, shadow_settings
from support.old_system_days import Mistake, OldSystem
from support.worlds import ROOT, changed, et, game

pytestmark = pytest.mark.drill

MONDAY = date(2026, 1, 12)
WEEK = [MONDAY + timedelta(days=n) for n in range(7)]
MISTAKES = {
    WEEK[1]: Mistake.DAILY_AGAIN_EVERY_HOUR,
    WEEK[2]: Mistake.NIGHT_WINDOWS_NEVER_RAN,
    WEEK[3]: Mistake.FAILURE_BLOCKS_THE_RETRY,
    WEEK[4]: Mistake.TODAYS_GAMES_FOR_YESTERDAYS_WINDOW,
    WEEK[5]: Mistake.FIRST_GAME_ONLY,
}
GAMES = {
    day: [game(10 * n + number, tip, day) for number, tip in enumerate(("19:00", "19:30", "22:30"))]
    for n, day in enumerate([*WEEK, WEEK[-1] + timedelta(days=1)], 1)
}
THEIRS, OURS, PHASE_2 = "old_system", "our_shadow", "phase_2_of_the_week"
SETTINGS = shadow_settings(OURS, THEIRS, PHASE_2)
CONFIG = changed(**{f"settings__{key}": value for key, value in SETTINGS.items()})


def refresh_schedule(warehouse):
    """Phase 2's rows as the service of July 2026 writes them, with real tips."""
    rows = [
        f"('{one.game_id}', '{one.code}', 2025, DATE '{day}', TIMESTAMP '{one.tip:%Y-%m-%d %H:%M:%S%z}', 1, "
        f"'Scheduled', 'BOS', 'LAL', 'api_stats', 'f', TIMESTAMP '{WEEK[-1]} 12:00:00+00')"
        for day, games in GAMES.items()
        for one in games
    ]
    warehouse.query(f"CREATE SCHEMA {PHASE_2}")
    warehouse.query("CREATE TABLE {schedule_table} AS SELECT * FROM nba_raw.nbac_schedule WHERE game_date IS NULL")
    warehouse.query(f"INSERT INTO {{schedule_table}} VALUES {', '.join(rows)}")


def decide_beside_it(warehouse, outbox):
    """Play every tick of the week with the real engine, the schedule, the old system's rows and our own decisions."""
    start, end = CONFIG.day_bounds(WEEK[0])[0], CONFIG.day_bounds(WEEK[-1])[1]
    moments = {}
    for name in CONFIG.enabled:
        for tick in CONFIG.ticks_of(name).between(start, end):
            moments.setdefault(tick, []).append(name)
    for tick, names in sorted(moments.items()):
        inputs = decision_inputs(warehouse, CONFIG, names, tick)
        for name in names:
            one = decide(name, CONFIG, tick, *inputs)
            key = TaskKey(name, f"scheduled__{tick.isoformat()}", "decide")
            outbox.stage(
                [
                    DecisionRecord(
                        decision_id=decision_id(name, key.run_id), decision_time=tick, workflow_name=name,
                        action=one.action, reason=one.reason, context={"mode": "shadow"}, rule=one.rule, slot_time=tick,
                        target_games=[g.game_id for g in one.games], target_date=one.target_date,
                        triggered_by="schedule", created_at=tick, **key.columns(),
                    )
                ]
            )  # fmt: skip
        outbox.drain()


@pytest.fixture(scope="module")
def week(google, tmp_path_factory):
    folder = tmp_path_factory.mktemp("week")
    theirs, ours = Warehouse(Settings(audit_dataset=THEIRS)), Warehouse(CONFIG.settings)
    refresh_schedule(ours)
    create_old_tables(theirs)
    old = OldSystem(GAMES)
    for day in WEEK:
        old.day(day, MISTAKES.get(day))
    old.write(theirs)
    init(ours)
    decide_beside_it(ours, Outbox(f"file://{folder}/outbox", ours))
    file = folder / "workflows.yaml"
    data = yaml.safe_load((ROOT / "config" / "workflows.yaml").read_text())
    data["settings"] |= SETTINGS
    file.write_text(yaml.safe_dump(data))
    yield file
    for dataset in (THEIRS, OURS, PHASE_2):
        ours.client.delete_dataset(dataset, delete_contents=True)


@pytest.fixture
def compared(week, monkeypatch, capsys):
    monkeypatch.setenv("ORCHESTRATION_CONFIG", str(week))

    def run(*more):
        code = main(["compare", "--with", THEIRS, *more])
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def differences(compared):
    code, out = compared("--date", f"{WEEK[-1]}", "--days", "7", "--json")
    assert code == 1
    return json.loads(out)


def found(differences, mistake):
    """Return the differences on the orchestration day of a mistake: workflow, hour and kind."""
    [day] = [day for day, one in MISTAKES.items() if one is mistake]
    start, end = (moment.isoformat() for moment in CONFIG.day_bounds(day))
    return [
        (one["workflow"], one["tick"][11:16], one["kind"])
        for one in differences["differences"]
        if start <= one["tick"] < end
    ]


def test_compare_counts_the_mistakes_and_nothing_else(differences):
    counts = differences["counts"]
    assert {kind: number for kind, number in counts.items() if kind not in ("same", "still_due")} == {
        "late": 1, "missed": 2, "needless": 17, "other_date": 2, "other_games": 3, "unknown": 0,
    }  # fmt: skip
    assert counts["same"] > 800
    assert (differences["only_ours"], differences["only_theirs"]) == (["schedule_dependency"], [])


@pytest.mark.lesson("K1")
def test_an_hourly_repeat_of_a_daily_workflow_is_needless(differences):
    """Its rows have the status no_data, but their summaries count records, so the workflow was done."""
    expected = [("morning_operations", f"{hour:02d}:00", "needless") for hour in range(7, 24)]
    assert found(differences, Mistake.DAILY_AGAIN_EVERY_HOUR) == expected
    whys = [one["why"] for one in differences["differences"] if one["kind"] == "needless"]
    assert whys[0] == "nothing to do: Done for 2026-01-13 at 06:00 ET"


@pytest.mark.lesson("T1")
def test_night_windows_that_never_ran_are_missed(differences):
    assert found(differences, Mistake.NIGHT_WINDOWS_NEVER_RAN) == [
        ("post_game_window_2", "01:00", "missed"),
        ("post_game_window_3", "04:00", "missed"),
    ]


@pytest.mark.lesson("K5")
def test_a_retry_delayed_by_a_failure_is_late(differences):
    assert found(differences, Mistake.FAILURE_BLOCKS_THE_RETRY) == [("betting_lines", "14:00", "late")]
    [late] = [one for one in differences["differences"] if one["kind"] == "late"]
    assert late["why"] == "1.1 h late, at 15:05 ET"


@pytest.mark.lesson("T9")
def test_todays_games_in_yesterdays_window_are_another_date(differences):
    assert found(differences, Mistake.TODAYS_GAMES_FOR_YESTERDAYS_WINDOW) == [
        ("post_game_window_2", "01:00", "other_date"),
        ("post_game_window_3", "04:00", "other_date"),
    ]
    whys = {one["why"] for one in differences["differences"] if one["kind"] == "other_date"}
    assert whys == {"they fetched 2026-01-17; 2026-01-16 was due"}


@pytest.mark.lesson("E1")
def test_a_run_for_the_first_game_only_is_other_games(differences):
    assert found(differences, Mistake.FIRST_GAME_ONLY) == [
        ("post_game_window_1", "22:00", "other_games"),
        ("post_game_window_2", "01:00", "other_games"),
        ("post_game_window_3", "04:00", "other_games"),
    ]
    whys = [one["why"] for one in differences["differences"] if one["kind"] == "other_games"]
    assert whys[0] == "they fetched 1 game, 2 due: 1 left out (0022500061)"


@pytest.mark.parametrize("day", [day for day in WEEK if day not in MISTAKES])
def test_a_day_without_a_mistake_is_the_same(compared, day):
    code, out = compared("--date", f"{day}", "--json")
    assert (code, json.loads(out)["differences"]) == (0, [])


def test_the_screen_shows_counts_first_and_repeated_differences_once(compared):
    code, out = compared("--date", f"{WEEK[-1]}", "--days", "7")
    lines = out.splitlines()
    assert code == 1
    assert lines[0] == "Mon 12 Jan 2026 to Sun 18 Jan 2026: old_system beside our_shadow"
    assert "same, 1 late, 2 missed, 17 needless, 2 other date, 3 other games" in " ".join(lines[1:3])
    assert "07:00  needless     morning_operations, 17 times until 23:00" in lines
    assert "01:00  missed       post_game_window_2" in lines
    assert max(map(len, lines)) < 80
    assert len(lines) < 60


def test_a_missing_dataset_is_unknown_and_not_a_difference(compared, capsys):
    assert main(["compare", "--with", "nowhere", "--date", f"{MONDAY}"]) == 3
    assert "compare: " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.b", "a b", "a;b", "`a`", ""])
def test_a_dataset_must_be_a_plain_name(name):
    assert main(["compare", "--with", name]) == ExitCode.USAGE


def test_unfinished_hours_are_not_compared_and_undecided_hours_are_unknown(compared, week):
    """At 14:30 the other system may still run its 14:00 workflow. Hours without our decisions are unknown."""
    thursday = WEEK[3]
    code, out = compared("--date", f"{thursday}", "--as-of", et("14:30", thursday).isoformat(), "--json")
    assert (code, json.loads(out)["differences"]) == (0, [])
    code, out = compared("--date", f"{thursday}", "--as-of", et("14:50", thursday).isoformat(), "--json")
    assert [(one["kind"], one["tick"][11:16]) for one in json.loads(out)["differences"]] == [("missed", "14:00")]
    warehouse = Warehouse(CONFIG.settings)
    warehouse.query(f"DELETE FROM {{audit}}.workflow_decisions WHERE slot_time > TIMESTAMP '{WEEK[-1]} 23:30:00+00'")
    code, out = compared("--date", f"{WEEK[-1]}", "--json")
    unknown = [one for one in json.loads(out)["differences"] if one["kind"] == "unknown"]
    assert (code, {one["why"] for one in unknown}) == (1, {"we made no decision at this tick"})
    assert {one["kind"] for one in json.loads(out)["differences"]} == {"unknown"}
