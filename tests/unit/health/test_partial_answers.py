"""Answers that hold too little, or the same as before. The finding names what, when, what is lost and what to do."""

import pytest

from orchestration.health.facts import AskedTick
from orchestration.health.verdict import assess
from orchestration.words import Outcome, Verdict
from support.facts import AFTER, CONFIG, NIGHT, a_day
from support.records import replace
from support.worlds import changed, et, game, schedule

BOX, LAST = "nbac_player_boxscore", "post_game_window_3"
ONE, TWO = NIGHT.games


def with_calls(facts, chosen, **changes):
    made = tuple(replace(c, **changes) if chosen(c) else c for c in facts.calls)
    assert made != facts.calls
    return replace(facts, calls=made)


def of_box(call):
    return call.scraper_name == BOX and call.tick > TWO.due


def of_kind(facts, kind, now=AFTER, config=CONFIG):
    return [finding for finding in assess(config, facts, now).findings if finding.kind == kind]


@pytest.mark.lesson("F3")
def test_the_first_line_names_the_game_that_an_answer_lacks():
    facts = with_calls(a_day(), of_box, shortfall="1 of 2 games, missing LAL@BOS", missing_games=(TWO.game_id,))
    health = assess(CONFIG, facts, AFTER)
    assert health.headline.startswith(
        "UNHEALTHY: nbac_player_boxscore (post_game_window_3) returned too little at 04:00 ET: 1 of 2 games, missing "
        "LAL@BOS. What is missing is not collected. reconcile fetches it again at 06:30 ET"
    )
    assert (health.collected, health.due) == (1, 2)
    [first, *_] = health.findings
    conf = '{"force": true, "target_date": "2026-01-14", "scrapers": ["nbac_player_boxscore"]}'
    assert first.command == f"airflow dags trigger post_game_window_3 --conf '{conf}'"


def test_without_a_list_of_games_no_game_is_collected():
    facts = with_calls(a_day(), of_box, shortfall="1 of 2 games")
    assert assess(CONFIG, facts, AFTER).collected == 0


def test_a_later_whole_answer_ends_the_finding_and_a_failure_or_an_empty_answer_does_not():
    facts = with_calls(a_day(), of_box, shortfall="1 of 2 games")
    again = replace(next(c for c in facts.calls if of_box(c)), slot_time=et("+1 05:00"), dag_run_id="again")
    for changes, findings in (
        ({"shortfall": None}, 0),
        ({"status": Outcome.NO_DATA, "shortfall": None}, 1),
        ({"status": Outcome.FAILED, "shortfall": None}, 1),
    ):
        later = replace(facts, calls=(*facts.calls, replace(again, **changes)))
        assert len(of_kind(later, "answer_partial")) == findings


def test_a_partial_answer_after_a_whole_one_or_before_the_game_is_due_is_no_fault():
    facts = a_day()
    call = replace(next(c for c in facts.calls if of_box(c)), slot_time=et("+1 05:00"), dag_run_id="x", shortfall="few")
    assert of_kind(replace(facts, calls=(*facts.calls, call)), "answer_partial") == []
    early = replace(facts, calls=(*facts.calls, replace(call, slot_time=et("22:00"))))
    assert of_kind(early, "answer_partial") == []
    late = a_day(schedule(game(1, "19:00"), game(2, "22:30")))
    assert of_kind(with_calls(late, lambda c: c.scraper_name == BOX and c.tick < et("23:00"), shortfall="x"),
                   "answer_partial") == []  # fmt: skip


@pytest.mark.lesson("F3")
def test_games_that_an_answer_before_the_games_lacks_are_named_once_a_postponement_cannot_explain_them():
    name, games, facts = (
        "nbac_referee_assignments",
        schedule(game(1, "19:00"), game(2, "19:30")),
        a_day(until=et("13:00")),
    )
    call = next(c for c in facts.calls if c.scraper_name == name)
    others = tuple(c for c in facts.calls if c.scraper_name != name)
    first = replace(call, slot_time=et("09:00"), shortfall="1 of 2 games", games_expected=2, dag_run_id="1")
    second = replace(first, slot_time=et("10:00"), dag_run_id="2")

    def found(*calls, refreshed="04:30", of=games):
        seen = replace(of, refreshed_at=et(refreshed))
        return of_kind(replace(facts, schedule=seen, calls=(*others, *calls)), "answer_partial", et("12:20"))

    assert found(first) == []  # the source may know of a postponement that the schedule does not have yet
    [one] = found(first, second)
    assert "nbac_referee_assignments (referee_discovery) returned too little at 10:00 ET: 1 of 2 games" in one.text
    assert len(found(first, refreshed="12:00")) == 1
    assert found(first, second, refreshed="12:00", of=schedule(game(1, "19:00"))) == []
    named = replace(second, missing_games=("0022500002",))
    three = schedule(game(1, "19:00"), game(3, "19:00"), game(4, "19:00"))
    assert found(first, named, of=three) == []


def test_answers_about_several_items_are_one_finding():
    props = [c for c in a_day().calls if c.scraper_name == "oddsa_player_props"]
    last = max(c.tick for c in props)
    labels = [f"oddsa_player_props {n}" for n in range(3)]
    calls = [replace(props[-1], label=label, slot_time=last, map_index=n) for n, label in enumerate(labels)]
    calls[1:] = [replace(c, shortfall="2 records, usually 24", record_count=2) for c in calls[1:]]
    others = tuple(c for c in a_day().calls if c not in props)
    facts = replace(a_day(), calls=(*others, *calls))
    [found] = of_kind(facts, "answer_partial")
    assert found.verdict is Verdict.DEGRADED
    assert found.text == (
        f"oddsa_player_props (betting_lines) returned too little at {last:%H:%M} ET in 2 of 3 calls, for example: "
        "2 records, usually 24 (2). The rest is missing until a whole answer comes"
    )


@pytest.mark.parametrize(
    ("new", "old", "what"),
    [
        ({"gcs_path": "gs://b/1"}, {"last_file": "gs://b/1"}, "file"),
        ({"gcs_path": "gs://b/2"}, {"last_file": "gs://b/1"}, None),
        ({"gcs_path": None}, {"last_file": None}, None),
        ({"content_hash": "a", "gcs_path": "gs://b/2"}, {"last_content": "a", "last_file": "gs://b/1"}, "content"),
        ({"content_hash": "b", "gcs_path": "gs://b/1"}, {"last_content": "a", "last_file": "gs://b/1"}, None),
    ],
)
def test_the_same_content_or_file_as_on_an_earlier_day_is_a_warning_where_it_changes_daily(new, old, what):
    scraper = "nbac_injury_report"
    of = {"workflow": "injury_discovery", "scraper_name": scraper, "calls": 1}
    asked = [
        AskedTick(target_date=et("-2 12:00").date(), tick=et("-2 12:00"), found=1, **of, **old),
        AskedTick(target_date=et("-1 12:00").date(), tick=et("-1 12:00"), found=0, **of),  # nothing was published
    ]
    facts = replace(with_calls(a_day(), lambda c: c.scraper_name == scraper, **new), asked=tuple(asked))
    found = of_kind(facts, "answer_unchanged")
    assert [f"the same {what} as on 2026-01-12" in one.text for one in found] == [True] * (what is not None)
    assert all(one.verdict is Verdict.DEGRADED for one in found)
    silent = changed(scrapers__nbac_injury_report__expects={"records": {"min": 1}})
    assert of_kind(facts, "answer_unchanged", config=silent) == []
