"""The reports, on a day whose rows the test writes."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from orchestration.audit.facts import day_facts, facts_as_of
from orchestration.audit.inputs import decision_inputs
from orchestration.audit.references import broken_references
from orchestration.audit.setup import init
from orchestration.audit.statements import ddl
from orchestration.audit.warehouse import Warehouse
from orchestration.cli import main
from orchestration.health.data import wanted
from orchestration.health.verdict import assess
from orchestration.nba.games import Game
from orchestration.records.ids import TaskKey
from orchestration.records.tables import CleanupRecord
from sandbox.phase2 import create_tables
from support.generators import generator
from support.rows import add_schedule, call, decision, execution, expected
from support.worlds import DAY, changed, et, ours

SEEN_AT = et("19:30")
schemas = generator("schemas")


@pytest.fixture
def report(outbox, warehouse):
    """A day with every kind of run."""
    add_schedule(
        warehouse,
        ("0022500001", DAY, "api_stats", et("05:00"), "7:00 pm ET"),
        ("0022500002", DAY, "api_stats", et("05:00"), "7:00 pm ET"),
    )
    outbox.stage(
        [
            expected("on_time", "06:00"), decision("on_time", "06:00"), execution("on_time", "06:00"),
            expected("slow", "06:00"), decision("slow", "06:00"),
            execution("slow", "06:00", "partial", timedelta(minutes=20)),
            expected("next_tick", "07:00"), decision("next_tick", "08:00"), execution("next_tick", "08:00"),
            expected("skipped", "09:00"), decision("skipped", "09:00", "SKIP", reason="done today"),
            expected("aborted", "10:00"), decision("aborted", "10:00", "ABORT", reason="History unreadable"),
            expected("nobody_came", "11:00"),
            expected("not_executed", "12:00"), decision("not_executed", "12:00"),
            expected("tonight", "22:00"),
            decision("post_game_window_1", "+1 01:00"), execution("post_game_window_1", "+1 01:00"),
            call("box", "+1 01:00", "failed", 1, "0022500001", error_type="timeout", error_message="late"),
            call("box", "+1 01:00", "success", 2, "0022500001", record_count=24),
            decision("by_hand", "13:00", triggered_by="manual:me"),
            CleanupRecord(cleanup_id="c", cleanup_time=et("14:20"), files_checked=9, missing_files_found=2,
                       republished_count=2, created_at=et("14:20"), **TaskKey("cleanup", "r", "t").columns()),
        ]
    )  # fmt: skip
    outbox.drain()

    def ask(name, first=DAY, last=DAY, seen_at=None):
        values = {"first": first, "last": last, **({"seen_at": seen_at} if seen_at else {})}
        arguments = "@first, @last, @seen_at" if seen_at else "@first, @last"
        return warehouse.query(f"SELECT * FROM nba_orchestration.{name}({arguments})", values)

    return ask


def test_expected_against_actual_separates_late_skipped_missing_and_not_due(report):
    found = {row["workflow_name"]: row for row in report("expected_against_actual", seen_at=SEEN_AT)}
    assert {name: row["state"] for name, row in found.items()} == {
        "on_time": "ON_TIME",
        "slow": "LATE",
        "next_tick": "LATE",
        "skipped": "SKIPPED",
        "aborted": "MISSING",
        "nobody_came": "MISSING",
        "not_executed": "MISSING",
        "tonight": "NOT_DUE",
    }
    assert found["skipped"]["reason"] == "done today"
    assert found["aborted"]["reason"] == "History unreadable"
    assert found["slow"]["status"] == "partial"


@pytest.mark.lesson("K10")
def test_a_run_decision_without_an_execution_is_missing_unless_manual_or_new(report):
    assert [row["workflow_name"] for row in report("missing_executions", seen_at=SEEN_AT)] == ["not_executed"]
    assert report("missing_executions", seen_at=et("12:10")) == []


def test_the_day_summary_counts_from_lock_to_lock(report):
    days = report("day_summary", DAY - timedelta(days=1), DAY + timedelta(days=1))
    before, day, after = sorted(days, key=lambda row: row["date"])
    counted = {"expected_runs": 8, "runs": 6, "skips": 1, "aborts": 1, "completed": 3, "partial": 1, "failed": 0}
    calls = {"calls_with_data": 1, "calls_without_data": 0, "failed_tries": 1, "republished": 2}
    assert day == {"date": DAY, **counted, **calls}
    assert sum(v for row in (before, after) for k, v in row.items() if k != "date") == 0


def test_the_trace_shows_a_decision_with_every_try(report):
    found = [row for row in report("decision_trace") if row["workflow_name"] == "post_game_window_1"]
    assert sorted((row["try_number"], row["call_status"], row["error_message"]) for row in found) == [
        (1, "failed", "late"),
        (2, "success", None),
    ]
    assert {row["execution_status"] for row in found} == {"completed"}
    assert len(report("decision_trace")) == 9


def test_a_call_with_a_successful_last_try_is_a_success_with_a_failed_try(report):
    [row] = report("scraper_success_rates", DAY - timedelta(days=6), DAY)
    assert (row["scraper_name"], row["calls"], row["success"], row["failed"]) == ("box", 1, 1, 0)
    assert (row["success_rate"], row["failed_tries"], row["timeouts"], row["sample_error"]) == (1.0, 1, 1, "late")


def test_no_data_is_no_success_and_a_refused_call_of_the_service_is_blocked(report, outbox):
    answers = ["success", "no_data", "no_data", ("failed", "DownloadDecodeMaxRetryException"), ("failed", "blocked")]
    calls = [
        call("line", f"{8 + i:02}:00", answer, 1) if isinstance(answer, str)
        else call("line", f"{8 + i:02}:00", answer[0], 1, error_type=answer[1], error_message="no")
        for i, answer in enumerate(answers)
    ]  # fmt: skip
    outbox.stage([*calls, *(call("silent", f"{8 + i:02}:00", "no_data", 1) for i in range(3))])
    outbox.drain()
    rates = ("success_rate", "no_data_rate", "failure_rate", "blocked")
    found = {row["scraper_name"]: tuple(row[key] for key in rates) for row in report("scraper_success_rates")}
    assert found["line"] == (0.2, 0.4, 0.4, 2)
    assert found["silent"] == (0.0, 1.0, 0.0, 0)


def test_a_past_moment_counts_no_call_that_came_later(warehouse, report, outbox):
    config = ours()
    box_scores = wanted(config, day_facts(warehouse, config, DAY, SEEN_AT), critical_only=True)
    outbox.stage([call(name, "+1 01:00", "success", 1, "0022500001", record_count=24) for name in box_scores])
    outbox.drain()
    collected = {}
    for moment in ("18:00", "+1 09:00"):
        facts = facts_as_of(warehouse, config, DAY, et(moment))
        seen = assess(config, replace(facts, in_tables={}), et(moment))
        collected[moment] = (seen.collected, seen.due)
    assert collected == {"18:00": (0, 0), "+1 09:00": (1, 2)}


@pytest.mark.lesson("K6")
def test_completeness_names_the_game_without_data(report):
    found = {row["game_id"]: row for row in report("game_completeness")}
    assert {game: (row["collected"], row["tries"]) for game, row in found.items()} == {
        "0022500001": (True, 2),
        "0022500002": (False, 0),
    }
    assert found["0022500001"]["record_count"] == 24


def test_a_success_before_a_game_is_due_does_not_complete_it(report, outbox):
    outbox.stage([call("box", "21:30", "success", 3, "0022500002")])  # tips at 18:30
    outbox.drain()
    found = {row["game_id"]: (row["collected"], row["tries"]) for row in report("game_completeness")}
    assert found["0022500002"] == (False, 1)
    outbox.stage([call("box", "22:00", "success", 4, "0022500002")])
    outbox.drain()
    found = {row["game_id"]: (row["collected"], row["tries"]) for row in report("game_completeness")}
    assert found["0022500002"] == (True, 2)


@pytest.mark.parametrize(
    "tip", [None, "-1 19:00", "00:00", "00:15", "12:00", "22:30", "+1 00:00", "+1 00:15", "+1 05:45", "+1 06:00"]
)
@pytest.mark.parametrize("day", [DAY, date(2025, 11, 1), date(2026, 3, 7)])
def test_sql_and_engine_agree_when_a_game_is_due(warehouse, day, tip):
    moment = None if tip is None else et(tip, day)
    value = "NULL" if moment is None else f"TIMESTAMP '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00'"
    warehouse.query(
        f"INSERT INTO nba_raw.nbac_schedule VALUES ('0022500001', '{day:%Y%m%d}/LALBOS', 2025, DATE '{day}', {value}, "
        "1, 'Scheduled', 'BOS', 'LAL', 'api_stats', 'f', TIMESTAMP '2025-10-01 12:00:00+00')"
    )
    [row] = warehouse.query(f"SELECT due_at FROM nba_orchestration.games(DATE '{day}', DATE '{day}')")
    assert row["due_at"] == Game("0022500001", "x", day, moment, "BOS", "LAL").due


def test_a_later_fetch_counts_for_the_date_of_its_data(report, outbox):
    def calls(seen_at):
        return set(day_facts(Warehouse(), ours(), DAY, et(seen_at)).calls)

    before = calls("+1 07:00")
    outbox.stage([call("box", "+1 06:30", "success", 5, "0022500002")])
    outbox.drain()
    assert [one.tick for one in calls("+1 07:00") - before] == [et("+1 06:30")]
    assert calls("+1 06:29") == before


def test_reliability_is_by_week_and_shows_the_usual_time_of_publication(report, outbox):
    early, late = DAY - timedelta(days=1), DAY + timedelta(days=6)  # Tuesday of this week, Tuesday of the next

    def asked(tick, status, day, seconds, number=1):
        row = call("nbac_injury_report", tick, status, number)
        changes = {
            "slot_time": et(tick, day), "triggered_at": et(tick, day), "target_date": day,
            "duration_seconds": seconds, "row_id": f"{day} {tick} {number}", "dag_run_id": f"{day} {tick}",
        }  # fmt: skip
        return row.model_copy(update=changes)

    outbox.stage(
        [
            asked("10:00", "no_data", early, 1), asked("11:00", "success", early, 2),
            asked("15:00", "success", early, 9),
            asked("12:00", "failed", DAY, 3), asked("12:00", "success", DAY, 4, 2),
            asked("12:00", "success", DAY + timedelta(days=1), 2),
            asked("+1 01:00", "success", late, 5), asked("10:00", "failed", late, 1),
        ]
    )  # fmt: skip
    outbox.drain()
    found = [row for row in report("source_reliability", early, late) if row["source"] == "nbac"]
    first, second = sorted(found, key=lambda row: row["week"])
    monday = date(2026, 1, 12)
    counts = ("calls", "success", "no_data", "failed", "failed_tries", "median_seconds")
    assert (first["week"], first["scraper_name"]) == (monday, "nbac_injury_report")
    assert tuple(first[name] for name in counts) == (5, 4, 1, 0, 1, 2.5)
    assert [(one["target_date"], one["found_at"]) for one in first["found"]] == [
        (early, datetime(2026, 1, 13, 11)),
        (DAY, datetime(2026, 1, 14, 12)),
        (DAY + timedelta(days=1), datetime(2026, 1, 15, 12)),
    ]
    assert first["usual_hour"] == 12
    assert (second["week"], second["calls"], second["failed"]) == (monday + timedelta(days=7), 2, 1)
    assert second["usual_hour"] == 25
    [box] = [row for row in report("source_reliability") if row["source"] == "box"]
    assert (box["calls"], box["success"], box["failed_tries"]) == (1, 1, 1)


def test_the_sla_report_counts_met_deadlines_and_minutes_after_the_games(report, warehouse, outbox):
    add_schedule(warehouse, ("0022500003", DAY, "api_stats", et("05:00"), "TBD"), tip="{day} 05:00:00+00")
    add_schedule(warehouse, ("0022500004", DAY, "api_stats", et("05:00"), "7:00 pm ET"))
    outbox.stage(
        [
            execution("late", "13:00").model_copy(update={"deadline_missed": True}),
            call("box", "22:30", "success", 1, "0022500002"),
            call("box", "+1 09:00", "success", 2, "0022500003"),
            call("box", "23:30", "success", 4, "0022500004"),
            call("extra", "22:00", "success", 3, "0022500001"),
        ]
    )
    outbox.drain()

    def sla(game_minutes):
        sql = "SELECT * FROM nba_orchestration.sla(@day, @next, 'box', @minutes)"
        rows = warehouse.query(sql, {"day": DAY, "next": DAY + timedelta(days=1), "minutes": game_minutes})
        return sorted(rows, key=lambda row: row["date"])

    day, empty = sla(150)
    assert (day["executions"], day["deadlines_missed"], day["deadlines_met"]) == (5, 1, 0.8)
    assert (day["games"], day["collected"]) == (4, 4)
    # Three games tip at 18:30 and are over at 21:00; they were collected at 22:36, 23:39 and 01:07.
    assert (day["slowest_minutes"], day["slowest_game"]) == (247, f"{DAY:%Y%m%d}/LALBOS")
    assert day["median_minutes"] == 159
    assert sla(120)[0]["slowest_minutes"] == 277
    assert {name: value for name, value in empty.items() if value} == {"date": DAY + timedelta(days=1)}
    assert (empty["executions"], empty["deadlines_met"], empty["median_minutes"]) == (0, None, None)


def a_week_of_reports():
    """Rows of a realistic week, for the examples of the documentation."""
    rows, games = [], []
    for number in range(7):
        day = date(2026, 1, 12) + timedelta(days=number)

        def called(scraper, tick, status, seconds, day=day, game=None):
            moment = et(tick, day)
            changes = {
                "row_id": f"{scraper} {moment} {game}", "dag_run_id": f"{scraper} {moment}", "target_date": day,
                "slot_time": moment, "triggered_at": moment + timedelta(minutes=5), "duration_seconds": seconds,
                "map_index": int((game or "0")[-2:]),
            }  # fmt: skip
            rows.append(call(scraper, "06:00", status, 1, game).model_copy(update=changes))

        for hour in range(8, 14 + number % 2):
            empty = hour < 13 + number % 2
            called("nbac_injury_report", f"{hour:02d}:00", "no_data" if empty else "success", 1.5 + hour / 10)
        called("br_season_roster", "06:00", "failed" if number == 4 else "success", 8.25)
        for game in range(4):
            game_id = f"00225001{number}{game}"
            games.append((game_id, day, "api_stats", et("05:00", day), "7:00 pm ET"))
            late = game == 3 and number == 2
            called("nbac_team_boxscore", "+1 09:00" if late else "22:00" if game < 2 else "+1 01:00", "success",
                   2.0 + game / 4, game=game_id)  # fmt: skip
        for tick in ("06:00", "13:00", "22:00", "+1 01:00"):
            key = TaskKey("any", f"{day} {tick}", "finish")
            changes = {
                "execution_id": key.run_id, "slot_time": et(tick, day), "execution_time": et(tick, day),
                "deadline_missed": (number, tick) == (2, "13:00"), **key.columns(),
            }  # fmt: skip
            rows.append(execution("any", "06:00").model_copy(update=changes))
    return rows, games


@pytest.mark.parametrize("question", schemas.ANSWERS)
def test_the_documented_answers_are_those_of_the_reports(outbox, warehouse, question):
    rows, games = a_week_of_reports()
    add_schedule(warehouse, *games)
    outbox.stage(rows)
    outbox.drain()
    found = warehouse.query(schemas.EXAMPLES[question])
    names = list(found[0])
    lines = [names, *([str("" if row[name] is None else row[name]) for name in names] for row in found)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(names))]
    table = "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
    assert schemas.ANSWERS[question] == table


TIPS = ("2026-01-15 00:00", "2026-01-14 17:00", "2026-01-15 05:15", "2026-01-15 05:00", "2026-01-14 05:00",
        "2026-01-14 00:00", "2026-01-15 11:30", "2026-01-17 00:00", "0001-01-01 00:00", "9999-12-31 00:00")  # fmt: skip


def test_reports_and_engine_agree_when_a_game_is_due(warehouse):
    for number, tip in enumerate(TIPS):
        add_schedule(warehouse, (f"00225{number:05d}", DAY, "api_stats", et("05:00"), "Scheduled"), tip=f"{tip}:00+00")
    add_schedule(warehouse, ("0022599999", DAY, "api_stats", et("05:00"), "Scheduled"), tip=None)
    schedule, _ = decision_inputs(warehouse, ours(), ["betting_lines"], et("13:00"))
    rows = warehouse.query("SELECT game_id, due_at FROM {audit}.games(@day, @day)", {"day": DAY})
    due = {row["game_id"]: row["due_at"] for row in rows}
    assert len(due) == len(TIPS) + 1  # also tips that the engine cannot use: none at all, and one in the year 1
    usable = {game.game_id: game.due for game in schedule.games}
    assert len(usable) == len(TIPS) - 1
    assert {game: due[game] for game in usable} == usable


@pytest.mark.lesson("K12")
def test_a_moved_game_is_complete_only_on_its_new_date(report, warehouse):
    moved = DAY + timedelta(days=60)
    add_schedule(warehouse, ("0022500002", moved, "api_stats", et("18:00"), "Scheduled"))
    assert {row["game_id"] for row in report("game_completeness")} == {"0022500001"}


def test_the_days_of_the_reports_begin_at_the_lock(report):
    """workflows.yaml can move the lock. The daily check reports it until init has updated the reports in BigQuery."""
    early = changed(settings__daily_schedule_lock__generation_time="00:30")
    warehouse = Warehouse(early.settings)
    assert report("day_summary")[0]["runs"] == 6
    [problem] = broken_references(warehouse, early)
    assert "do not begin their days at 00:30 ET; run python -m orchestration init" in problem
    try:
        init(warehouse)
        assert broken_references(warehouse, early) == []
        assert report("day_summary")[0]["runs"] == 5  # the call at 01:00 belongs to the next day
    finally:
        init(Warehouse())
    assert report("day_summary")[0]["runs"] == 6


def test_hourly_activity_counts_by_et_hour(report):
    found = {(row["date"], row["hour"]): row for row in report("hourly_activity", DAY, DAY + timedelta(days=1))}
    assert (found[DAY, 6]["runs"], found[DAY, 6]["executions"]) == (2, 2)
    night = found[DAY + timedelta(days=1), 1]
    assert (night["runs"], night["calls_with_data"], night["failed_tries"]) == (1, 1, 1)


def shown(capsys, *arguments):
    code = main([*arguments, "--date", DAY.isoformat(), "--as-of", SEEN_AT.isoformat()])
    return code, capsys.readouterr().out


def test_the_commands_fit_80_columns_and_exit_with_the_right_codes(report, capsys):
    code, text = shown(capsys, "missing")
    assert code == 1
    assert "11:00 MISSING      nobody_came" in text
    assert "12:00 NOT EXECUTED not_executed" in text
    code, text = shown(capsys, "failures")
    assert (code, "box" in text, "late" in text) == (0, True, True)  # its last try succeeded
    code, text = shown(capsys, "timeline")
    assert code == 0
    assert "01:00 RUN   post_game_window_1     completed" in text
    assert "09:00 SKIP  1 workflow" in text
    for command in ("missing", "failures", "timeline"):
        assert max(len(line) for line in shown(capsys, command)[1].splitlines()) < 80
        assert json.loads(shown(capsys, command, "--json")[1])["date"] == DAY.isoformat()


@pytest.mark.parametrize("command", ["missing", "failures", "timeline"])
def test_a_day_without_any_run_is_unknown_and_not_complete(warehouse, capsys, command):
    code, text = shown(capsys, command)
    assert code == 3
    assert "unknown: no decision was made" in text
    assert ("no run was locked" in text) == (command == "missing")
    assert "Nothing is missing" not in text
    assert json.loads(shown(capsys, command, "--json")[1])["absent"]


def test_reconcile_reports_unknown_for_a_day_without_any_run(warehouse, capsys):
    assert main(["reconcile", "--as-of", SEEN_AT.isoformat()]) == 3
    assert "unknown" in capsys.readouterr().err
    # The schedule has no game on these days, but no check ran either.
    add_schedule(warehouse, ("0022500009", DAY - timedelta(days=5), "api_stats", SEEN_AT, "7:00 pm ET"))
    assert main(["reconcile", "--as-of", SEEN_AT.isoformat()]) == 3
    assert "unknown: no decision was made" in capsys.readouterr().err


@pytest.mark.parametrize(
    "rows",
    [
        [decision("betting_lines", "06:00", "SKIP", reason="summer")],
        [decision("by_day", "06:00"), execution("by_day", "06:00")],
        [decision("betting_lines", f"0{hour}:00", "ABORT", reason="History unreadable") for hour in (6, 7)],
    ],
    ids=["one SKIP", "one run", "two ABORTs"],
)
def test_what_stopped_in_the_morning_is_missing_as_the_health_check_says(outbox, warehouse, capsys, rows):
    outbox.stage(rows)
    outbox.drain()
    code, text = shown(capsys, "missing")
    assert (code, "Nothing is missing" in text) == (1, False)
    assert "MISSING      betting_lines" in text
    assert ("History unreadable" in text) == any(getattr(row, "reason", "") == "History unreadable" for row in rows)
    assert shown(capsys, "health")[0] == 2
    assert shown(capsys, "timeline")[0] == 0


def test_rows_of_one_id_by_two_writers_are_facts_of_the_day_and_repeated_appends_are_not(outbox, warehouse):
    one = decision("betting_lines", "13:00")
    made = call("box", "+1 01:00", "success", 1, "0022500001")
    retried = call("box", "+1 01:00", "success", 2, "0022500001")
    corrected = made.model_copy(update={"created_at": et("+1 02:00"), "error_type": "late"})
    cleared = one.model_copy(update={"try_number": 2, "created_at": et("14:00")})
    outbox.stage([one, one, cleared, made, corrected, retried])
    outbox.drain()
    now = et("+1 03:00")
    assert day_facts(warehouse, ours(), DAY, now).twice == ()
    other = one.model_copy(update={"created_at": et("13:02"), "action": "SKIP"})
    outbox.stage([other, made.model_copy(update={"run_id": "another", "created_at": et("+1 01:09")})])
    outbox.drain()
    found = {(fact.written_to, fact.workflow_name, fact.ids) for fact in day_facts(warehouse, ours(), DAY, now).twice}
    assert found == {
        ("workflow_decisions", "betting_lines", 1),
        ("scraper_execution_log", "post_game_window_1", 1),
    }


def test_nothing_is_missing_from_a_shadow_that_decided_and_called_nothing(outbox, warehouse, capsys):
    shadow = {"mode": "shadow"}
    outbox.stage([decision("post_game_window_1", "+1 01:00", context=shadow), decision("by_day", "-1 06:00")])
    outbox.drain()
    assert "NOT EXECUTED" not in shown(capsys, "missing")[1]


def test_what_is_missing_cannot_be_told_without_the_rows_that_are_gone(outbox, warehouse, capsys):
    outbox.stage([decision("betting_lines", "-1 22:00"), call("box", "06:00", "success")])
    outbox.stage([execution("post_game_window_1", "06:00")])
    outbox.drain()
    code, text = shown(capsys, "missing")
    assert code != 0
    assert "unknown: Rows are" in text
    assert "Nothing is missing" not in text


def test_a_day_in_the_future_is_not_complete(warehouse, capsys):
    assert main(["missing", "--date", "2026-01-20", "--as-of", SEEN_AT.isoformat()]) == 3
    assert "2026-01-20 has not begun" in capsys.readouterr().err


def test_before_its_first_tick_a_day_has_nothing_missing(outbox, warehouse, capsys):
    outbox.stage([decision("betting_lines", "-1 06:00"), expected("betting_lines", "13:00")])
    outbox.drain()
    assert main(["missing", "--date", DAY.isoformat(), "--as-of", et("05:10").isoformat()]) == 0
    assert "Nothing is missing." in capsys.readouterr().out


def test_the_commands_say_unknown_if_bigquery_does_not_answer(google, capsys, monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    assert shown(capsys, "missing")[0] == 3


def test_every_report_has_a_description_in_bigquery(google):
    init(Warehouse())
    client = Warehouse().client
    for name, text in (ddl("reports") | ddl("functions")).items():
        description = client.get_routine(f"{client.project}.nba_orchestration.{name}").description
        assert description
        assert "ET date" in description or " DATE" not in text
        assert "{" not in description


@pytest.mark.lesson("K3")
@pytest.mark.lesson("C2")
def test_a_configured_table_or_column_that_does_not_exist_is_reported(google):
    warehouse = Warehouse()
    assert broken_references(warehouse, ours()) == []
    wrong = changed(
        scrapers__nbac_team_boxscore__processed_in="nba_raw.nbac_team_boxscores",
        scrapers__nbac_player_list__processed_in="nba_orchestration.v_scraper_runs",
    )
    assert broken_references(warehouse, wrong) == [
        "scrapers.nbac_player_list.processed_in: table nba_orchestration.v_scraper_runs has no column source_file_path",
        "scrapers.nbac_team_boxscore.processed_in: table nba_raw.nbac_team_boxscores does not exist; "
        "create it, or correct workflows.yaml",
    ]


def test_init_skips_and_names_a_report_whose_table_does_not_exist_yet(google):
    warehouse = Warehouse()
    warehouse.query("DROP TABLE nba_raw.nbac_schedule")
    try:
        said = init(warehouse)
    finally:
        create_tables(warehouse.client)
    for name in ("games", "known_schedule", "game_completeness"):
        assert any(f".{name}: left out, nba_raw.nbac_schedule does not exist" in line for line in said)
    init(warehouse)
