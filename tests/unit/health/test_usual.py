"""A tick, a discovery and a duration against the same ones on the days before."""

from datetime import timedelta

import pytest

from orchestration.health.facts import AskedTick
from orchestration.health.verdict import assess
from orchestration.records.tables import CallRecord
from orchestration.words import Outcome
from support.facts import CONFIG
from support.nights import night
from support.records import a_call, replace
from support.worlds import DAY, changed, et, game, schedule

GAMES = schedule(*[game(n, "19:00") for n in range(1, 13)])
FEW = schedule(game(1, "19:00"), game(2, "19:30"))
PROPS, LINES = "oddsa_player_props", "oddsa_game_lines"
TICKS = ("13:00", "15:00", "17:00", "19:00")


def props(found, calls=12, scraper=PROPS, workflow="betting_lines"):
    """The calls of some ticks: how many of them found data, by time."""
    return [
        a_call(
            scraper, workflow, et(wall), DAY, Outcome.SUCCESS if n < count else Outcome.NO_DATA, map_index=n,
            duration_seconds=3.0, timeout_seconds=150.0,
        )
        for wall, count in found.items()
        for n in range(calls)
    ]  # fmt: skip


def asked(wall, found, calls=12, days=range(1, 15), scraper=PROPS, workflow="betting_lines"):
    """The same tick on earlier days. ``found`` is a number, or a function of the number of the day."""
    return [
        AskedTick(
            workflow=workflow, scraper_name=scraper, tick=et(f"-{n} {wall}"), target_date=DAY - timedelta(days=n),
            calls=calls, found=found(n) if callable(found) else found, seconds=3.0,
        )
        for n in days
    ]  # fmt: skip


USUAL = [one for wall in TICKS for one in asked(wall, 12)]


def a_day(made, before, now, games=GAMES):
    """A healthy day whose calls of some scrapers are replaced."""
    facts = night(CONFIG, games, until=now)
    ours = {(call.workflow, call.scraper_name) for call in made}
    others = tuple(c for c in facts.calls if (c.workflow, c.scraper_name) not in ours)
    return replace(facts, calls=(*others, *[c for c in made if c.tick <= now]), asked=tuple(before))


def found(made, before, now="19:25", games=GAMES, config=CONFIG):
    return [(f.kind, f.workflow, f.text) for f in assess(config, a_day(made, before, et(now), games), et(now)).findings]


def kinds(*args, **more):
    return [kind for kind, _, _ in found(*args, **more)]


@pytest.mark.lesson("F4")
@pytest.mark.parametrize("left", [0, 3, 6])
def test_props_that_dry_up_at_half_past_two_are_named_after_the_second_dry_tick(left):
    dry = props({"13:00": 12, "15:00": left, "17:00": left})
    assert kinds(dry, USUAL, "16:50") == []
    [(kind, scraper, text)] = found(dry, USUAL, "17:25")
    assert (kind, scraper) == ("source_dry", PROPS)
    assert f"since 15:00 ET: at 17:00 ET {12 - left} of 12 calls found no data, while usually 100 %" in text


@pytest.mark.lesson("F4")
def test_a_source_that_comes_back_is_no_longer_dry():
    assert kinds(props({"13:00": 12, "15:00": 0, "17:00": 0, "19:00": 12}), USUAL) == []


def test_a_single_dry_tick_between_full_ones_is_not_reported():
    assert kinds(props({"13:00": 12, "15:00": 4, "17:00": 12, "19:00": 4}), USUAL) == []


def test_the_last_tick_of_yesterday_counts_as_the_first_of_two():
    before = [*USUAL[:-14], *asked("19:00", lambda n: 0 if n == 1 else 12)]
    [(kind, _, text)] = found(props({"13:00": 2}), before, "13:25")
    assert (kind, "since Tue 13 Jan 19:00 ET" in text) == ("source_dry", True)


def test_a_dry_source_does_not_become_usual_within_a_week():
    before = [one for wall in TICKS for one in asked(wall, lambda n: 6 if n <= 5 else 12)]
    assert kinds(props(dict.fromkeys(TICKS, 6)), before) == ["source_dry"]
    before = [one for wall in TICKS for one in asked(wall, lambda n: 6 if n <= 13 else 12)]
    assert kinds(props(dict.fromkeys(TICKS, 6)), before) == []


@pytest.mark.parametrize("share", [6, 3])
def test_a_source_that_is_always_half_empty_is_usual(share):
    before = [one for wall in TICKS for one in asked(wall, lambda n: share + n % 3 - 1)]
    assert kinds(props(dict.fromkeys(TICKS, share - 1)), before) == []
    assert kinds(props(dict.fromkeys(TICKS, 0)), before)[:1] == ["source_dry"]


def test_an_hour_that_is_always_empty_is_usual_at_this_hour():
    before = [*asked("13:00", 0), *asked("15:00", 2), *asked("17:00", 12)]
    assert kinds(props({"13:00": 0, "15:00": 1, "17:00": 12}), before, "17:25") == []
    assert kinds(props({"13:00": 0, "15:00": 1}), before, "15:25") == ["mostly_no_data"]


def test_weekdays_are_compared_with_weekdays():
    weekend = lambda n: 0 if (DAY - timedelta(days=n)).weekday() >= 5 else 12  # noqa: E731
    before = [one for wall in TICKS for one in asked(wall, weekend, days=range(1, 22))]
    assert kinds(props({"13:00": 12, "15:00": 2, "17:00": 2}), before, "17:25") == ["source_dry"]


def test_one_of_two_events_without_props_is_no_dry_source_and_two_of_two_are():
    assert kinds(props(dict.fromkeys(TICKS, 1), 2), USUAL, games=FEW) == []
    assert kinds(props({"13:00": 2, "15:00": 0, "17:00": 0}, 2), USUAL, "17:25", FEW) == ["source_dry"]


def test_games_that_have_begun_may_have_no_props_any_more():
    early = schedule(*[game(n, "14:00" if n <= 8 else "21:00") for n in range(1, 13)])
    assert kinds(props({"13:00": 12, "15:00": 4, "17:00": 4}), USUAL, "17:25", early) == []
    assert kinds(props({"13:00": 12, "15:00": 0, "17:00": 0}), USUAL, "17:25", early) == ["source_dry"]


def test_without_earlier_days_the_earlier_ticks_of_the_day_are_usual():
    assert kinds(props({"13:00": 12, "15:00": 5, "17:00": 5}), [], "17:25") == ["source_dry"]
    assert kinds(props({"13:00": 5, "15:00": 9, "17:00": 12}), [], "17:25") == []
    assert kinds(props({"13:00": 6, "15:00": 6, "17:00": 6}), [], "17:25") == []


@pytest.mark.parametrize("left", [0, 15])
def test_rosters_of_a_workflow_with_one_tick_a_day_are_named_at_once(left):
    rosters = {"scraper": "br_season_roster", "workflow": "morning_operations"}
    before = asked("06:00", 30, 30, **rosters)
    [(kind, _, text)] = found(props({"06:00": left}, 30, **rosters), before, "06:25")
    assert (kind, f"{30 - left} of 30 calls found no data" in text) == ("source_dry", True)
    assert kinds(props({"06:00": 27}, 30, **rosters), before, "06:25") == []


def test_thirty_empty_rosters_are_named_without_any_earlier_day():
    made = props({"06:00": 0}, 30, "br_season_roster", "morning_operations")
    assert kinds(made, [], "06:25") == ["mostly_no_data"]


def test_one_call_a_day_is_dry_when_it_was_never_empty_before():
    players = {"scraper": "nbac_player_list", "workflow": "morning_operations"}
    made = props({"06:00": 0}, 1, **players)
    assert kinds(made, asked("06:00", 1, 1, **players), "06:25") == ["source_dry"]
    assert kinds(made, asked("06:00", lambda n: n != 2, 1, **players), "06:25") == []
    assert kinds(made, asked("06:00", 1, 1, range(1, 5), **players), "06:25") == []


def test_calls_that_fail_are_no_sign_of_a_dry_source():
    made = [
        replace(c, status=Outcome.FAILED) if c.status is Outcome.NO_DATA else c
        for c in props({"13:00": 12, "15:00": 4, "17:00": 4})
    ]
    assert "source_dry" not in kinds(made, USUAL, "17:25")


def reports(walls, hit=None) -> list[CallRecord]:
    return [
        a_call("nbac_injury_report", "injury_discovery", et(wall), DAY,
               Outcome.SUCCESS if wall == hit else Outcome.NO_DATA)
        for wall in walls
    ]  # fmt: skip


EVEN = [f"{hour:02d}:00" for hour in range(6, 23, 2)]
LEARNED = {"scraper": "nbac_injury_report", "workflow": "injury_discovery", "calls": 1}
WITHOUT = changed(
    workflows__injury_discovery__schedule={
        "max_attempts_per_day": 9, "retry_interval_hours": 2, "requires_game_day": True, "first_hour": 6,
    }
)  # fmt: skip


@pytest.mark.lesson("F4")
def test_a_report_that_never_appears_is_named_at_the_hour_by_which_it_is_expected():
    assert kinds(reports(EVEN[:6]), [], "16:50") == []
    [(kind, workflow, text)] = found(reports(EVEN[:6]), [], "17:20")
    assert (kind, workflow) == ("not_found", "injury_discovery")
    assert "nothing of nbac_injury_report since 06:00 ET, in 6 attempts, expected by 17:00 ET. The next" in text
    assert kinds(reports(EVEN[:7], hit="18:00"), [], "18:20") == []


def test_without_an_expected_hour_the_latest_usual_hour_counts():
    before = [one for wall in EVEN[:5] for one in asked(wall, wall == "14:00", **LEARNED)]
    before[-1] = before[-1].model_copy(update={"found": 0})
    assert kinds(reports(EVEN[:5]), before, "15:50", config=WITHOUT) == []
    [(kind, _, text)] = found(reports(EVEN[:6]), before, "16:20", config=WITHOUT)
    assert (kind, "on 13 days before found by 14:00 ET" in text) == ("not_found", True)
    few = [one for one in before if one.tick > et("-6 00:00")]
    assert kinds(reports(EVEN[:6]), few, "16:20", config=WITHOUT) == []


def test_a_report_that_is_often_not_found_has_no_usual_hour():
    before = [one for wall in EVEN for one in asked(wall, lambda n, w=wall: w == "14:00" and n % 2, **LEARNED)]
    assert kinds(reports(EVEN[:7]), before, "18:20", config=WITHOUT) == []


def test_the_last_attempt_of_the_day_in_vain_is_named_without_any_earlier_day():
    assert kinds(reports(EVEN), [], "22:50", config=WITHOUT) == []
    [(kind, _, text)] = found(reports(EVEN), [], "23:20", config=WITHOUT)
    assert (kind, "in 9 attempts. Today it is not asked again" in text) == ("not_found", True)


def slow(seconds, walls, calls=1, scraper="nbac_schedule_api", workflow="schedule_dependency", limit=150.0):
    made = props(dict.fromkeys(walls, calls), calls, scraper, workflow)
    return [replace(c, duration_seconds=seconds, timeout_seconds=limit) for c in made]


def before(seconds, days=range(1, 8), scraper="nbac_schedule_api", workflow="schedule_dependency"):
    return [
        one.model_copy(update={"seconds": seconds})
        for wall in ("06:00", "12:00")
        for one in asked(wall, 1, 1, days, scraper, workflow)
    ]


def test_a_scraper_at_ten_times_its_usual_time_is_named_after_two_ticks():
    assert kinds(slow(26, ["12:00"]), before(2.5), "12:25") == []
    [(kind, scraper, text)] = found(slow(26, ["06:00", "12:00"]), before(2.5), "12:25")
    assert (kind, scraper) == ("scraper_slow", "nbac_schedule_api")
    assert "since 06:00 ET a call takes 26 s, usually 2.5 s. At its time limit of 150 s it fails" in text
    assert kinds(slow(24, ["06:00", "12:00"]), before(2.5), "12:25") == []
    assert kinds(slow(26, ["06:00", "12:00"]), before(2.5, range(1, 3)), "12:25") == []


def test_a_few_seconds_are_never_slow():
    assert kinds(slow(4.9, ["06:00", "12:00"]), before(0.1), "12:25") == []
    assert kinds(slow(5.0, ["06:00", "12:00"]), before(0.1), "12:25") == ["scraper_slow"]


@pytest.mark.parametrize(("seconds", "says"), [(120, ["scraper_slow"]), (119, [])])
def test_a_scraper_near_its_time_limit_is_named_without_any_earlier_day(seconds, says):
    assert kinds(slow(seconds, ["06:00", "12:00"]), [], "12:25") == says


def test_several_slow_calls_of_one_tick_are_enough_and_one_of_several_is_not():
    rosters = {"scraper": "br_season_roster", "workflow": "morning_operations"}
    made = slow(130, ["06:00"], 30, **rosters)
    assert kinds(made, [], "06:25") == ["scraper_slow"]
    assert kinds([replace(c, duration_seconds=3.0) if n else c for n, c in enumerate(made)], [], "06:25") == []


def test_a_call_without_data_that_waits_for_its_source_is_not_slow():
    made = [replace(c, status=Outcome.NO_DATA) for c in slow(60, ["06:00", "12:00"])]
    assert "scraper_slow" not in kinds(made, before(2.5), "12:25")


def test_a_call_that_fails_at_its_limit_does_not_make_the_scraper_slow():
    made = [replace(c, status=Outcome.FAILED) for c in slow(150, ["06:00", "12:00"])]
    assert "scraper_slow" not in kinds(made, before(2.5), "12:25")


def test_three_slow_scrapers_are_a_slow_service():
    names = ("oddsa_events", PROPS, LINES)
    made = [one for name in names for one in slow(40, ["13:00", "15:00"], 12, name, "betting_lines")]
    past = [one for name in names for one in before(3, scraper=name, workflow="betting_lines")]
    [(kind, _, text)] = found(made, past, "15:25")
    assert (kind, "since 13:00 ET 3 scrapers take 10 times their usual time" in text) == ("service_slow", True)
