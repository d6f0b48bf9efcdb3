"""An answer is whole when it holds what is expected, or what is usual. Else it does not collect what it lacks."""

import pytest

from orchestration.decisions.collected import lacking, successes_of
from orchestration.decisions.whole import PastAnswers, compared, expected_game, learned
from orchestration.vocabulary.answers import AnswerDescription, Expects
from orchestration.words import Action, AlertLevel, FanOut
from support.records import replace
from support.worlds import brought, called, changed, decision, et, executed, game, history, ours, schedule

ALL = Expects(games="all")
TEN = [replace(game(n, "19:00"), home=f"H{n:02d}", away=f"A{n:02d}", code=f"20260114/A{n:02d}H{n:02d}")
       for n in range(1, 11)]  # fmt: skip
SLATE = [expected_game(one) for one in TEN]
IDS = [one.game_id for one in TEN]
BOX = "nbac_player_boxscore"


def short(expects=ALL, usual=None, slate=SLATE, records=260, listed=None, counted=None):
    found = compared(expects, usual, slate, records=records, listed=listed, counted=counted)
    return None if found is None else (found.text, found.missing_games)


@pytest.mark.lesson("F3")
@pytest.mark.parametrize(
    ("listed", "counted", "says"),
    [
        (IDS, None, None),
        (IDS[:9], None, ("9 of 10 games, missing A10@H10", (IDS[9],))),
        ([*IDS[:9], IDS[0]], None, ("9 of 10 games, missing A10@H10", (IDS[9],))),
        ([*IDS[:9], "0022500999"], None, ("9 of 10 games, missing A10@H10", (IDS[9],))),
        ([*IDS, "0022500999"], None, None),
        ([one.code for one in TEN], None, None),
        ([int(one) for one in IDS], None, None),
        (["", "x", "nonsense"], None, ("0 of 10 games, missing A01@H01, A02@H02, A03@H03 and 7 more", tuple(IDS))),
        ([], None, ("0 of 10 games, missing A01@H01, A02@H02, A03@H03 and 7 more", tuple(IDS))),
        (None, 10, None),
        (None, 11, None),
        (None, 9, ("9 of 10 games", ())),
        (None, 0, ("0 of 10 games", ())),
        (None, None, ("the answer does not say how many of 10 games it has", ())),
    ],
    ids=str,
)
def test_an_answer_is_compared_with_the_slate(listed, counted, says):
    listed = None if listed is None else [str(one) for one in listed]
    assert short(listed=listed, counted=counted, records=None) == says


def test_a_slate_without_games_is_not_compared():
    assert short(slate=[], listed=[]) is short(slate=[], counted=0) is None


def test_the_records_of_an_answer_are_compared_with_the_least():
    assert short(Expects(records={"min": 20}), records=12) == ("12 records, at least 20 expected", ())
    assert short(Expects(records={"min": 20}), records=20) is None
    few = Expects(records_per_game={"min": 16})
    assert short(few, records=130) == ("130 records for 10 games, at least 16 a game expected", ())
    assert short(few, records=160) is None
    assert short(few, slate=[], records=1) is None


def test_records_of_a_list_that_lacks_games_are_those_of_the_others():
    both = Expects(games="all", records_per_game={"min": 20})
    assert short(both, listed=IDS[:9], records=185) == ("9 of 10 games, missing A10@H10", (IDS[9],))
    text, missing = short(both, listed=IDS[:9], records=100)
    assert text.endswith("; 100 records for 9 games, at least 20 a game expected")
    assert missing == ()  # no game is trusted


@pytest.mark.parametrize(
    ("summary", "listed", "counted"),
    [
        ({"ids": ["0022500001", 22500002]}, ("0022500001", "22500002"), None),
        ({"ids": [{"gameId": "0022500001"}, {"game_code": "20260114/LALBOS"}, {"x": 1}]},
         ("0022500001", "20260114/LALBOS", ""), None),
        ({"ids": "0022500001"}, None, None),
        ({"ids": 10, "count": 10}, None, 10),
        ({"count": "9"}, None, None),
        ({"count": True}, None, None),
        ({}, None, None),
    ],
)  # fmt: skip
def test_games_are_read_where_the_description_says(summary, listed, counted):
    reads = AnswerDescription(games="ids", games_count="count")
    assert (reads.games_in(summary), reads.game_count_in(summary)) == (listed, counted)


def past(counts, games=0, item="item", game_day=True, scraper="s"):
    games = games if isinstance(games, tuple) else (games,) * len(counts)
    return PastAnswers(scraper_name=scraper, item=item, game_day=game_day, counts=counts, games=games)


def test_what_is_usual_is_learned_from_ten_answers_of_the_same_kind():
    counts = (24, 22, 26, 25, 23, 24, 24, 25, 22, 26)
    assert learned([past(counts[:9])], "s", FanOut.EVENT, 5) is None
    usual = learned([past(counts)], "s", FanOut.EVENT, 5)
    assert short(None, usual, records=2) == ("2 records, usually 24", ())
    assert short(None, usual, records=16) is None
    for other in (past(counts, item="game"), past(counts, game_day=False), past(counts, scraper="t")):
        assert learned([other], "s", FanOut.EVENT, 5) is None
    assert learned([past(counts, game_day=None)], "s", FanOut.EVENT, 5) == usual


def test_noise_widens_the_limit():
    wild = learned([past((5, 40, 12, 60, 30, 8, 25, 70, 18, 33))], "s", FanOut.EVENT, 5)
    assert short(None, wild, records=2) is None


def test_the_count_of_a_whole_date_is_learned_for_one_game():
    sizes = (2, 9, 12, 5, 7, 3, 11, 8, 6, 10)
    box = learned([past(tuple(26 * n for n in sizes), sizes, "nothing")], "s", FanOut.NOTHING, 2)
    assert short(None, box, SLATE[:2], records=52) is None
    assert short(None, box, SLATE[:2], records=26) == ("26 records for 2 games, usually 26 a game", ())
    players = learned([past((540,) * 10, sizes, "nothing")], "s", FanOut.NOTHING, 10)
    assert short(None, players, records=270) == ("270 records, usually 540", ())


@pytest.mark.parametrize("games", [1, 14])
def test_a_slate_as_no_earlier_day_had_it_is_judged_mildly(games):
    slate = [expected_game(game(n)) for n in range(games)]
    for count in (26 * games, 540):
        same = past((312,) * 10 if count != 540 else (540,) * 10, 12, "nothing")
        assert short(None, learned([same], "s", FanOut.NOTHING, games), slate, records=count) is None


def partial(tick, text, *missing):
    return replace(called(BOX, tick), shortfall=text, missing_games=missing)


@pytest.mark.lesson("F3")
def test_a_partial_answer_collects_only_the_games_that_it_lists():
    one, two = schedule(game(1, "19:00"), game(2, "20:30")).games
    listed = partial("+1 00:30", "1 of 2 games, missing LAL@BOS", two.game_id)
    counted = partial("+1 00:30", "1 of 2 games")

    def lacks(*calls):
        return [g.game_id for g in (one, two) if lacking(ours(), [BOX], g, successes_of(calls))]

    assert lacks(listed) == [two.game_id]
    assert lacks(counted) == [one.game_id, two.game_id]
    assert lacks(listed, partial("+1 01:00", "1 of 2 games", one.game_id)) == []
    assert lacks(counted, called(BOX, "+1 01:00")) == lacks(called(BOX, "+1 00:30"), counted) == []
    assert lacks(partial("23:00", "0 of 1 games", two.game_id)) == [two.game_id]  # the first game was due


@pytest.mark.lesson("F3")
def test_the_next_window_fetches_a_partial_date_again():
    evening = schedule(game(1, "19:00"), game(2, "20:30"))
    whole = history(*brought("+1 00:30", *evening.games))
    assert decision("post_game_window_2", "+1 01:00", evening, whole).rule == "done"
    calls = [c if c.scraper_name != BOX else replace(c, shortfall="1 of 2 games") for c in whole.calls]
    found = decision("post_game_window_2", "+1 01:00", evening, history(*calls))
    assert (found.action, BOX in found.scrapers) == (Action.RUN, True)


def test_a_discovery_that_found_a_part_asks_again():
    games = schedule(game(1, "19:00"), game(2, "20:30"))
    found = called("nbac_referee_assignments", "10:00")
    assert decision("referee_discovery", "12:00", games, history(found)).rule == "found"
    part = replace(found, shortfall="1 of 2 games")
    assert decision("referee_discovery", "12:00", games, history(part)).action is Action.RUN


def test_used_up_attempts_alert_unless_every_scraper_found_at_least_a_part():
    name, games = "referee_discovery", schedule(game(1, "19:00"), game(2, "20:30"))
    tries = [executed(name, f"{hour:02d}:00") for hour in range(6, 12)]
    part = replace(called("nbac_referee_assignments", "10:00"), shortfall="1 of 2 games")
    used_up = decision(name, "12:00", games, history(*tries, part))
    assert (used_up.rule, used_up.alert_level) == ("max_attempts_reached", AlertLevel.NONE)
    assert used_up.reason.endswith("the answers were partial")
    both = {"type": "parallel", "scrapers": ["nbac_referee_assignments", "nbac_injury_report"]}
    config = changed(workflows__referee_discovery__execution_plan=both)
    assert decision(name, "12:00", games, history(*tries, part), config).alert_level is AlertLevel.WARNING
    assert decision(name, "12:00", games, history(*tries), config).alert_level is AlertLevel.WARNING


def test_a_decision_carries_the_games_that_are_due_and_what_is_usual():
    evening = schedule(game(1, "18:00"), game(2, "20:30"))
    run = decision("post_game_window_1", "22:00", evening)
    assert [one["game_id"] for one in run.to_dict()["slate"]] == [evening.games[0].game_id]
    assert len(decision("post_game_window_2", "+1 01:00", evening).slate) == 2
    known = replace(history(), answers=(past((500,) * 10, scraper="nbac_play_by_play", item="game"),))
    late = decision("post_game_window_3", "+1 04:00", evening, known)
    assert late.to_dict()["usual"]["nbac_play_by_play"]["median"] == 500
    told = changed(scrapers__nbac_play_by_play__expects={"records": {"min": 5}})
    assert decision("post_game_window_3", "+1 04:00", evening, known, told).usual == {}
    assert decision("post_game_window_3", et("+1 05:00"), evening, known).usual == {}  # no RUN


def test_a_partial_schedule_is_not_fresh():
    def refreshed(**more):
        call = replace(called("nbac_schedule_api", "12:00"), **more)
        return decision("schedule_dependency", "13:00", past=history(executed("schedule_dependency", "12:00"), call))

    assert refreshed().rule == "fresh"
    assert refreshed(shortfall="100 records, usually 1310").action is Action.RUN
