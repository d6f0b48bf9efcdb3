"""The events of a slate for downstream DAGs."""

from datetime import timedelta

import pytest

from orchestration.health import slates
from orchestration.health.facts import DayFacts
from orchestration.nba.games import FINAL
from orchestration.words import ExecutionStatus, Outcome
from support.nights import night, slate, with_execution, without
from support.records import first_decision, replace
from support.worlds import DAY, changed, et, game, ours, schedule

OVER = et("+1 05:20")
GAMES = 3
BOX, DEEP = "nbac_team_boxscore", "bigdataball_pbp"


def finished(facts: DayFacts, *, but: int | None = None) -> DayFacts:
    """The same night with all games final except the one at this place."""
    games = [replace(one, status=FINAL if n != but else 2) for n, one in enumerate(facts.schedule.games)]
    return replace(facts, schedule=replace(facts.schedule, games=tuple(games)))


NIGHT = finished(night(games=slate(GAMES), until=OVER))


def files(facts: DayFacts = NIGHT) -> set[str]:
    return {call.gcs_path for call in facts.calls if call.gcs_path}


def complete(facts: DayFacts = NIGHT, now=OVER, arrived=None, config=None):
    """The event, if the task that emits events would look for one."""
    config = config or ours()
    if not slates.worth_looking(config, facts, now):
        return None
    return slates.complete(config, facts, now, files(facts) if arrived is None else arrived)


def missing(said):
    return [(one["label"][-7:], one["final"], one["not_collected"], one["not_in_table"]) for one in said["missing"]]


def lost(facts: DayFacts, scraper: str, number: int) -> DayFacts:
    """The same night without data of this game for this scraper."""
    game_id = facts.schedule.on(DAY)[number].game_id
    gone = [replace(c, status=Outcome.NO_DATA) if (c.scraper_name, c.game_id) == (scraper, game_id) else c
            for c in facts.calls]  # fmt: skip
    return replace(facts, calls=tuple(gone))


def test_a_slate_is_complete_once_all_its_games_are_final_collected_and_in_their_tables():
    assert complete() == {"target_date": "2026-01-14", "games": GAMES, "complete": True, "missing": []}


@pytest.mark.lesson("F1")
def test_a_slate_is_not_complete_without_a_game_that_vanished_since_the_lock():
    two = replace(NIGHT, schedule=replace(NIGHT.schedule, games=NIGHT.schedule.games[1:]))
    assert complete(two) is None
    gone = NIGHT.schedule.games[0]
    said = complete(two, now=et("+1 13:00"))
    assert (said["complete"], missing(said)) == (False, [(gone.label[-7:], False, [], [])])


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        (finished(NIGHT, but=1), [(False, [], [])]),
        (lost(NIGHT, BOX, 1), [(True, [BOX], [])]),
        (lost(NIGHT, DEEP, 1), [(True, [DEEP], [])]),
    ],
    ids=["a game is not final", "a critical scraper lacks one", "another scraper lacks one"],
)
def test_an_incomplete_slate_is_reported_only_in_the_morning(facts, what):
    assert complete(facts) is None
    assert complete(facts, et("+1 07:14")) is None
    said = complete(facts, et("+1 07:15"))
    assert (said["games"], said["complete"]) == (GAMES, False)
    assert [lack[1:] for lack in missing(said)] == what
    assert said["missing"][0]["game_id"] == facts.schedule.on(DAY)[1].game_id


def test_a_file_outside_its_table_and_a_call_without_a_file_name_are_missing():
    [file] = {c.gcs_path for c in NIGHT.calls if (c.scraper_name, c.status) == (DEEP, "success")
              and c.game_id == NIGHT.schedule.on(DAY)[0].game_id}  # fmt: skip
    assert complete(arrived=files() - {file}) is None
    assert missing(complete(now=et("+1 07:20"), arrived=files() - {file}))[0][1:] == (True, [], [DEEP])
    nameless = replace(
        NIGHT, calls=tuple(replace(c, gcs_path=None) if c.scraper_name == DEEP else c for c in NIGHT.calls)
    )
    assert complete(nameless, arrived=files()) is None
    said = complete(nameless, et("+1 07:20"), files())
    assert [lack[3] for lack in missing(said)] == [[DEEP]] * GAMES


def test_tables_that_do_not_keep_every_path_are_not_asked():
    config = changed(scrapers__bigdataball_pbp__keeps_paths="none")
    known = {c.gcs_path for c in NIGHT.calls if c.scraper_name != DEEP}
    assert complete(arrived=known, config=config)["complete"] is True


def test_one_file_after_the_end_of_a_game_is_enough():
    first = NIGHT.schedule.on(DAY)[0]
    again = next(
        c for c in NIGHT.calls if (c.scraper_name, c.game_id) == (BOX, first.game_id) and c.status == "success"
    )
    early = replace(again, slot_time=first.due - timedelta(hours=2), gcs_path="gs://early")
    twice = replace(NIGHT, calls=(*NIGHT.calls, replace(again, gcs_path="gs://again"), early))
    assert complete(twice, arrived=files(NIGHT))["complete"] is True
    assert complete(twice, arrived=(files(twice) - {again.gcs_path, "gs://again"})) is None


@pytest.mark.parametrize(
    ("reconcile", "over"),
    [
        ({"at": ["06:30", "12:30"]}, "07:15"),
        ({"at": ["09:00"]}, "09:45"),
        ({"at": ["12:30"]}, "06:45"),
        ({"enabled": False}, "06:45"),
    ],
)
def test_the_morning_ends_after_the_night_and_the_mornings_reconcile(reconcile, over):
    assert slates.morning_of(changed(settings__reconcile=reconcile), DAY) == et(f"+1 {over}")


def test_no_slate_is_awaited_without_a_post_game_window():
    halt = {"reason": "summer", "until": "2026-02-01"}
    shadow = {"settings__mode": "shadow", "settings__audit_dataset": "ours_beside"}
    for config in (changed(**shadow), changed(settings__halt=halt)):
        assert complete(config=config, now=et("+1 09:00")) is None


LINES = "betting_lines"


def test_lines_are_collected_at_the_first_successful_run_of_their_workflow():
    assert slates.lines_collected(ours(), NIGHT) == {
        "target_date": "2026-01-14",
        "games": GAMES,
        "collected": {LINES: "2026-01-14T19:00:00+00:00"},
    }


def test_lines_are_not_collected_by_empty_calls_or_a_failed_run():
    ticks = sorted({e.tick for e in NIGHT.executions if e.workflow_name == LINES})
    one = without(NIGHT, LINES, *ticks[1:])
    empty = tuple(replace(c, status=Outcome.NO_DATA) if c.workflow == LINES else c for c in one.calls)
    assert slates.lines_collected(ours(), replace(one, calls=empty)) is None
    assert slates.lines_collected(ours(), with_execution(one, LINES, status=ExecutionStatus.FAILED)) is None
    assert slates.lines_collected(ours(), with_execution(one, LINES, status=ExecutionStatus.PARTIAL)) is not None
    assert slates.lines_collected(ours(), without(NIGHT, LINES, *ticks)) is None


def test_lines_wait_for_every_such_workflow_that_is_not_halted():
    two = {"workflows__more_lines": {**ours().workflows[LINES].model_dump(mode="json", exclude_unset=True)}}
    assert slates.lines_collected(changed(**two), NIGHT) is None
    assert slates.lines_collected(changed(**two, workflows__more_lines__mode="shadow"), NIGHT) is not None
    off = {"workflows__more_lines__halt": {"reason": "off", "until": "2026-02-01"}}
    assert slates.lines_collected(changed(**two, **off), NIGHT) is not None
    assert slates.lines_collected(changed(workflows__betting_lines__mode="shadow"), NIGHT) is None


def test_the_event_of_the_lock_has_the_number_of_games_and_the_first_tip():
    games = schedule(game(1, "19:30"), game(2, "19:00"), game(3, "00:00"))
    assert slates.scheduled(DAY, games, et("05:00"), 9) == {
        "target_date": "2026-01-14", "games": 3, "first_tip": "2026-01-15T00:00:00+00:00",
        "locked_at": "2026-01-14T10:00:00+00:00", "expected_runs": 9,
    }  # fmt: skip
    assert slates.scheduled(DAY, schedule(game(3, "00:00")), et("05:00"), 9)["first_tip"] is None


@pytest.mark.parametrize(("first", "there"), [("12:00", True), ("19:30", True), ("20:00", False), (None, False)])
def test_a_slate_that_began_before_the_system_was_on_has_no_event(first, there):
    """The first game of the night tips at 19:30."""
    known = (first_decision("w", et("23:00"), et("23:01")), first_decision("v", et(first))) if first else ()
    assert slates.system_was_on(replace(NIGHT, first=known)) is there


def test_a_date_without_games_has_no_slate():
    rest = replace(NIGHT, schedule=schedule(), first=(first_decision("w", et("06:00"), et("06:01")),))
    assert not slates.system_was_on(rest)
