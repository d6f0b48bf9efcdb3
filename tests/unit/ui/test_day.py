"""The values of a day's page: verdict, visibility, games, checks, addresses and the cache."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration.config import SYSTEM_DAGS
from orchestration.decisions.model import History
from orchestration.health.verdict import assess
from orchestration.nba.games import Schedule
from orchestration.planning.day import plan
from orchestration.ui.addresses import AddressError, day_of, moment_of, shown_first
from orchestration.ui.data import SharedCache
from orchestration.ui.day import day_page
from orchestration.ui.model import GameState, TickState
from orchestration.ui.visibility import HiddenNames
from orchestration.ui.why import TO_RUN, why
from orchestration.words import Action, Outcome, Verdict
from support.nights import MORNING, blocked, night, slate, with_decisions
from support.records import missing_file, replace
from support.worlds import DAY, changed, et, game, ours, schedule

CONFIG = ours()
EVERYTHING = frozenset({*CONFIG.workflows, *SYSTEM_DAGS})
BOX = "nbac_team_boxscore"


def page_of(facts, now=MORNING, allowed=EVERYTHING, config=CONFIG, planned=(), **more):
    return day_page(config, facts, planned, now, allowed, live=True, **more)


def test_the_page_and_the_health_check_have_the_same_verdict():
    for facts in (night(), blocked(night(), BOX)):
        health, page = assess(CONFIG, facts, MORNING), page_of(facts)
        assert (page.verdict, page.headline) == (health.verdict, health.headline)
        assert [a.text for a in page.advice] == [f.text for f in health.findings]


def test_a_blocked_source_is_named_first_with_its_command():
    page = page_of(blocked(night(), BOX, "nbac_player_boxscore"))
    assert page.verdict is Verdict.UNHEALTHY
    assert "blocks us (HTTP 403)" in page.headline
    assert page.advice[0].command.startswith("bin/orchestration/investigate_scraper_failures.sh")


def test_advice_to_trigger_a_run_names_the_dag_and_its_json():
    facts = night()
    page = page_of(replace(facts, calls=tuple(c for c in facts.calls if c.scraper_name != BOX)))
    advice = next(a for a in page.advice if a.kind == "games_incomplete")
    assert advice.dag in CONFIG.enabled
    assert advice.conf == '{"force": true, "target_date": "2026-01-14"}'


def test_a_page_as_of_an_hour_knows_nothing_later():
    facts = night()
    page = page_of(facts, et("22:30"))
    window = page.row("post_game_window_1")
    assert {t.state for t in window.ticks if t.at == et("22:00")} == {TickState.COMPLETED}
    assert page_of(facts, et("22:05")).row("post_game_window_1").ticks[-2].state is TickState.RUNNING
    assert page.row("post_game_window_2").ticks[-1].state is TickState.EXPECTED
    assert page.cleanups.last.cleanup_time <= et("22:30")
    assert page.verdict is assess(CONFIG, night(until=et("22:30")), et("22:30")).verdict


def test_tomorrow_shows_the_plan_and_no_verdict():
    now = et("-1 20:00")
    start, end = CONFIG.day_bounds(DAY)
    planned = list(plan(CONFIG, start, end, slate(), History()))
    page = page_of(replace(night(), decisions=(), executions=(), calls=(), expected=()), now, planned=planned)
    assert (page.verdict, page.planned) == (None, True)
    runs = sum(d.action is Action.RUN for d in planned)
    assert page.headline == f"The plan of Wed 14 Jan 2026: {runs} runs expected"
    assert sum(t.state is TickState.EXPECTED for row in page.rows for t in row.ticks) == runs


def test_a_halt_stands_above_the_verdict():
    config = changed(settings__halt={"reason": "off-season", "until": "2026-10-01"})
    assert page_of(night(), config=config).halt == "Halted until 2026-10-01: off-season"
    assert page_of(night()).halt is None


HALF = frozenset({"betting_lines", "post_game_window_1"})


def test_a_viewer_with_half_of_the_dags_sees_half_and_no_name_of_the_rest():
    facts = blocked(night(), "nbac_injury_report", "nbac_play_by_play", BOX)
    facts = with_decisions(facts, "morning_operations", et("06:00"), action=Action.ABORT, reason="secret reason")
    page = page_of(facts, allowed=HALF)
    assert [row.workflow for row in page.rows] == ["betting_lines", "post_game_window_1"]
    assert page.hidden == len(CONFIG.enabled) - 2
    shown = repr(replace(page, rows=())) + "".join(t.state for row in page.rows for t in row.ticks)
    for name in set(CONFIG.workflows) - HALF:
        assert name not in shown, name
    assert "secret reason" not in repr(page)
    assert page.cleanups is None
    assert page.headline.endswith("(of the 2 workflows that you may see)")


def test_a_hidden_failure_does_not_change_the_viewers_verdict():
    facts = with_decisions(night(), "injury_discovery", et("06:00"), action=Action.ABORT, rule="internal_error")
    facts = replace(facts, expected=facts.expected)
    assert page_of(facts).verdict is Verdict.UNHEALTHY
    assert page_of(facts, allowed=HALF).verdict is Verdict.HEALTHY


def test_a_viewer_without_access_gets_an_empty_page():
    page = page_of(night(), allowed=frozenset())
    assert (page.verdict, page.rows, page.games, page.headline) == (
        None, (), (), "You may see no workflow",
    )  # fmt: skip


# ---- games and scrapers


def cell(page, scraper, number=0):
    return page.games[number].states[page.scrapers.index(scraper)]


def test_a_game_is_collected_on_its_way_failed_empty_missing_or_not_due():
    facts = night()
    assert cell(page_of(facts), BOX) is GameState.COLLECTED
    assert cell(page_of(facts, et("19:00")), BOX) is GameState.NOT_DUE
    assert cell(page_of(blocked(facts, BOX)), BOX) is GameState.FAILED
    empty = tuple(replace(c, status=Outcome.NO_DATA) if c.scraper_name == BOX else c for c in facts.calls)
    assert cell(page_of(replace(facts, calls=empty)), BOX) is GameState.NO_DATA
    gone = tuple(c for c in facts.calls if c.scraper_name != BOX)
    assert cell(page_of(replace(facts, calls=gone)), BOX) is GameState.MISSING
    assert cell(page_of(replace(facts, calls=gone), et("21:50")), BOX) is GameState.DUE


def test_a_file_that_the_cleanup_did_not_find_is_on_its_way():
    facts = night()
    first = page_of(facts).games[0].game
    path = max(
        (c for c in facts.calls if (c.scraper_name, c.game_id) == (BOX, first.game_id)), key=lambda c: c.tick
    ).gcs_path
    last = replace(
        facts.cleanups[-1], missing_files_found=1, republished_count=1, missing_files=(missing_file(path, 40, BOX),)
    )
    page = page_of(replace(facts, cleanups=(*facts.cleanups[:-1], last)))
    assert cell(page, BOX) is GameState.ON_ITS_WAY
    assert page.cleanups.last == last
    assert page.games[0].has == len(page.scrapers)


def test_the_games_table_has_the_scrapers_of_the_verdict():
    assert BOX in page_of(night()).scrapers
    assert page_of(night(games=schedule(refreshed=et("04:30")))).games == ()


# ---- why


@pytest.mark.parametrize("name", list(CONFIG.enabled))
def test_why_shows_every_check_and_the_next_planned_run(name):
    found = why(name, CONFIG, et("11:00"), slate(), History())
    marks = [check.mark for check in found.checks]
    assert marks.count("answered") == 1
    assert marks == sorted(marks, key=["passed", "answered", "not reached"].index)
    assert (found.to_run is None) is (found.action is Action.RUN)
    if found.next_run is not None:
        later = plan(CONFIG, et("11:01"), et("+1 23:30"), slate(), History())
        assert found.next_run == next(d.tick for d in later if d.workflow == name and d.action is Action.RUN)


def rules_of_the_engine():
    """Yield the rule names of all checks that answer SKIP or ABORT."""
    for path in Path("plugins/orchestration/decisions").rglob("*.py"):
        tree = ast.parse(path.read_text())
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("skip", "abort"):
                rule = node.args[1 if node.func.id == "abort" else 0]
                name = rule.value if isinstance(rule, ast.Constant) else constants.get(getattr(rule, "id", ""), "")
                yield name


def test_every_rule_says_what_must_change_for_a_run():
    rules = {name for name in rules_of_the_engine() if name and name != "rule"}
    assert len(rules) > 15
    assert rules <= set(TO_RUN)


# ---- addresses


def test_last_night_is_shown_first_until_noon_and_the_day_afterwards():
    assert shown_first(CONFIG, et("+1 06:25")) == (DAY, DAY + timedelta(days=1))
    assert shown_first(CONFIG, et("12:00")) == (DAY, DAY - timedelta(days=1))
    assert shown_first(CONFIG, et("+1 01:00")) == (DAY, DAY - timedelta(days=1))


def test_an_hour_belongs_to_the_day_from_lock_to_lock():
    assert moment_of("06:25", DAY, CONFIG) == et("06:25")
    assert moment_of("04:59", DAY, CONFIG) == et("+1 04:59")
    assert moment_of("2026-01-15T06:25", DAY, CONFIG) == et("+1 06:25")
    assert moment_of("2026-01-15T11:25:00+00:00", DAY, CONFIG) == et("+1 06:25")


@pytest.mark.parametrize("text", ["25:00", "x", "2026-13-01T00:00", "06:25+99:00", "0001-01-01T00:00", "12:00Z"])
def test_an_invalid_time_is_refused(text):
    with pytest.raises(AddressError):
        moment_of(text, DAY, CONFIG)


@pytest.mark.parametrize("text", ["2026-02-30", "yesterday", "9999-12-31", "0001-01-01", "'; DROP"])
def test_an_invalid_date_is_refused(text):
    with pytest.raises(AddressError):
        day_of(text)


# ---- shared reads


def test_a_value_is_cached_for_half_a_minute():
    now, made = [0.0], []
    shared = SharedCache(clock=lambda: now[0])
    for moment in (0, 29.9, 30, 31):
        now[0] = moment
        shared.get("day", lambda: made.append(now[0]))
    assert made == [0, 30]
    shared.get("another", lambda: made.append("another"))
    assert made[-1] == "another"


def test_an_error_is_cached_for_5_seconds():
    now, tries = [0.0], []

    def fail():
        tries.append(now[0])
        raise OSError("down")

    shared = SharedCache(clock=lambda: now[0])
    for moment in (0, 4.9, 5):
        now[0] = moment
        with pytest.raises(OSError, match="down"):
            shared.get("day", fail)
    assert tries == [0, 5]


def test_parallel_viewers_share_one_read():
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    shared, made, together = SharedCache(), [], Barrier(20)

    def look(_):
        together.wait()
        return shared.get("day", lambda: made.append(1) or "page")

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(look, range(20))) == ["page"] * 20
    assert made == [1]


def test_games_without_a_known_tip_are_shown_last():
    games = schedule(game(1), replace(game(2), tip=None))
    assert [row.game.tip is None for row in page_of(night(games=games)).games] == [False, True]


def test_a_finding_names_no_dag_that_the_viewer_may_not_see():
    facts = replace(night(), expected=())
    page = day_page(CONFIG, facts, (), MORNING, {"post_game_window_1"}, live=True)
    [lock] = [advice for advice in page.advice if advice.kind == "not_locked"]
    assert "Check whether the DAG (a DAG that you may not see) is paused" in lock.text
    assert (lock.command, lock.dag) == ("", None)
    assert "schedule_locker" not in repr(page)


def test_why_names_no_dag_that_the_viewer_may_not_see():
    found = why(
        "post_game_window_1", CONFIG, et("22:00"), Schedule(), History(), HiddenNames(CONFIG, {"post_game_window_1"})
    )
    assert found.rule == "schedule_unknown"
    assert "(a DAG that you may not see) has run and its file has reached the schedule's table" in found.to_run
    assert "schedule_dependency" not in repr(found)
