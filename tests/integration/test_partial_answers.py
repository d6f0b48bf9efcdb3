"""What earlier answers held, as BigQuery says it, and what a decision and a call make of it."""

from datetime import timedelta

import pytest

from orchestration.audit.facts import day_facts
from orchestration.audit.inputs import decision_inputs, past_answers
from orchestration.cli import main
from orchestration.decisions.collected import lacking
from orchestration.health.verdict import assess
from support.rows import add_schedule, call
from support.worlds import DAY, et, ours

PROPS, BOX = "oddsa_player_props", "nbac_player_boxscore"


def stored(outbox, *rows):
    outbox.stage(rows)
    outbox.drain()


def answered(number, tick, records, scraper=PROPS, games=5, **more):
    row = call(scraper, tick, "success", record_count=records, games_expected=games, **more)
    label = scraper if scraper == BOX else f"{scraper} {number}"
    return row.model_copy(update={"row_id": f"{scraper} {tick} {number}", "label": label, "map_index": number})


@pytest.mark.lesson("F3")
def test_the_last_thirty_whole_answers_are_read_three_of_a_tick_first(outbox, warehouse):
    ticks = [f"-{back} {hour}:00" for back in range(1, 7) for hour in (14, 16)]
    rows = [answered(n, tick, 20 + n) for tick in ticks for n in range(5)]
    rows += [answered(n, "-1 18:00", 2, shortfall="2 records, usually 22") for n in range(5)]
    rows += [answered(0, "-60 14:00", 1), answered(0, "14:00", 1), answered(9, "-1 14:00", 540, games=0)]
    rows += [answered(7, "-1 12:00", 33).model_copy(update={"games_expected": None})]
    stored(outbox, *rows)
    found = {one.game_day: one for one in past_answers(warehouse, ours(), "betting_lines", et("14:00"))}
    assert {day: len(one.counts) for day, one in found.items()} == {True: 30, False: 1, None: 1}
    assert sorted(found[True].counts) == sorted([20, 21, 22] * 10)  # of the last ten ticks
    assert set(found[True].games) == {5}
    _, history = decision_inputs(warehouse, ours(), ["betting_lines"], et("14:00"))
    assert {one.game_day: sorted(one.counts) for one in history.answers} == {
        day: sorted(one.counts) for day, one in found.items()
    }


def test_describe_says_what_is_learned_or_that_it_is_too_little(outbox, warehouse, capsys):
    rows = [answered(n, f"-{back} 14:00", 24) for back in (1, 2, 3, 4) for n in range(3)]
    stored(outbox, *rows, call("oddsa_game_lines", "-1 14:00", "success", record_count=8, games_expected=3))
    assert main(["describe", "betting_lines", "--as-of", et("12:00").isoformat()]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "oddsa_player_props usually returns 24 records on days with games (12 answers); below 14.4 an answer" in said
    assert "oddsa_game_lines has too few answers on days with games to learn what is usual: 1 of 10." in said


@pytest.mark.lesson("F3")
def test_a_partial_answer_is_read_back_and_collects_what_it_lists(outbox, warehouse):
    early = et("05:00")
    add_schedule(
        warehouse,
        ("0022500001", DAY, "api_stats", early, "7:00 pm ET"),
        ("0022500002", DAY, "api_stats", early, "7:00 pm ET"),
    )
    text = "1 of 2 games, missing LAL@BOS"
    short = answered(0, "+1 01:00", 26, BOX, 2, shortfall=text, missing_games=("0022500002",))
    stored(outbox, short)
    schedule, history = decision_inputs(warehouse, ours(), ["post_game_window_3"], et("+1 04:00"))
    lacks = [one.game_id for one in schedule.on(DAY) if lacking(ours(), [BOX], one, history.successes)]
    assert lacks == ["0022500002"]
    now = et("+1 02:00")
    facts = day_facts(warehouse, ours(), DAY, now)
    assert facts.calls[0].shortfall == text
    [found] = [one for one in assess(ours(), facts, now).findings if one.kind == "answer_partial"]
    assert text in found.text


def test_the_last_file_and_content_of_a_day_are_known_on_the_next(outbox, warehouse):
    day = {"target_date": DAY - timedelta(days=1)}
    first = call(BOX, "-1 12:00", "success", gcs_path="gs://b/z", content_hash="c0")
    last = call(BOX, "-1 13:00", "success", gcs_path="gs://b/a", content_hash="c1")
    none = call(BOX, "-1 14:00", "no_data")
    stored(outbox, *(row.model_copy(update=day) for row in (first, last, none)))
    asked = day_facts(warehouse, ours(), DAY, et("12:00")).asked
    last = max((one for one in asked if one.found), key=lambda one: one.tick)
    assert (last.last_file, last.last_content) == ("gs://b/a", "c1")
