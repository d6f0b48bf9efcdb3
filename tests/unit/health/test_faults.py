"""Each cause that the health check can name, alone and in pairs."""

from datetime import timedelta
from itertools import combinations

import pytest

from orchestration.cleanup.following import followed_of
from orchestration.health.facts import AskedTick, DayFacts, LockedBefore, WrittenTwice
from orchestration.health.findings import UNWRITABLE, Role
from orchestration.health.kinds import KINDS
from orchestration.health.verdict import assess, healed
from orchestration.planning.day import calls_digest, rules_digest
from orchestration.records.tables import Seen
from orchestration.words import Action, ExecutionStatus, FileState, NoAnswer, Outcome, Surrounding
from support.facts import AFTER, CONFIG, a_day
from support.records import a_call, expected_run, missing_files, replace
from support.worlds import DAY, changed, et, game, schedule

YESTERDAY = DAY - timedelta(days=1)
GAMES = schedule(*[game(n, "14:00") for n in range(1, 5)], *[game(n, "19:00", YESTERDAY) for n in range(11, 14)])
NOW = et("19:25")
MORNING = et("08:25")
HALTED = changed(workflows__injury_discovery__halt={"reason": "no credit", "until": "2026-01-13"})


def seen(kind, about, text):
    def fault(facts):
        last = replace(facts.cleanups[-1], seen=(*facts.cleanups[-1].seen, Seen(kind=kind, about=about, text=text)))
        return replace(facts, cleanups=(*facts.cleanups[:-1], last))

    return fault


def calls(workflow, **changes):
    def fault(facts):
        return replace(facts, calls=tuple(replace(c, **changes) if c.workflow == workflow else c for c in facts.calls))

    return fault


def failed(error_type, scrapers="nbac_team_boxscore", workflow="morning_operations"):
    def fault(facts):
        last = max(e.tick for e in facts.executions if e.workflow_name == workflow)
        return replace(
            facts,
            executions=tuple(
                replace(e, status=ExecutionStatus.FAILED, error_message=f"x: {error_type}")
                if (e.workflow_name, e.tick) == (workflow, last)
                else e
                for e in facts.executions
            ),
            calls=tuple(
                replace(c, status=Outcome.FAILED, error_type=error_type)
                if (c.workflow, c.tick) == (workflow, last)
                else c
                for c in facts.calls
            ),
        )

    return fault


def cleanup(**changes):
    return lambda facts: replace(facts, cleanups=(*facts.cleanups[:-1], replace(facts.cleanups[-1], **changes)))


def republished_in_vain(facts):
    files = missing_files(4, 170)
    known = tuple(replace(c, missing_files=files) for c in facts.cleanups)
    last = replace(known[-1], missing_files_found=4, republished_count=4)
    return replace(facts, cleanups=(*known[:-1], last))


def open_files(*walls):
    files = [
        followed_of(a_call("nbac_play_by_play", "w", et(wall), DAY, gcs_path=f"gs://b/{wall}.json")) for wall in walls
    ]

    def fault(facts):
        last = replace(facts.cleanups[-1], followed_files=tuple(files), files_since=et("12:20"))
        return replace(facts, cleanups=(*facts.cleanups[:-1], last))

    return fault


def aborted(why):
    def fault(facts):
        made = [
            replace(d, action=Action.ABORT, rule="history_unreadable", reason=f"History unreadable: {why.value}: said")
            if d.tick == et("19:00") and d.workflow_name != "betting_lines"
            else d
            for d in facts.decisions
        ]
        return replace(facts, decisions=tuple(made))

    return fault


def not_in_table(facts):
    game = GAMES.on(DAY)[-1]
    written = a_call("nbac_team_boxscore", "post_game_window_1", et("17:35"), DAY, game_id=game.game_id)
    tables = {"nba_raw.nbac_team_boxscore": frozenset()}
    return replace(facts, calls=(*facts.calls, written), in_tables=tables)


def no_ticks(facts):
    return replace(
        facts,
        decisions=tuple(d for d in facts.decisions if d.tick != et("16:00")),
        executions=tuple(e for e in facts.executions if e.tick != et("16:00")),
        calls=tuple(c for c in facts.calls if c.tick != et("16:00")),
    )


def linked(facts):
    """Return the facts with calls that name their decision, so that lost rows are noticed."""
    return replace(facts, calls=tuple(replace(c, decision_id=f"{c.workflow} {c.tick}") for c in facts.calls))


def emptied(facts):
    return linked(replace(facts, decisions=tuple(d for d in facts.decisions if d.tick >= et("14:00"))))


def waiting(facts):
    gone = next(c for c in facts.calls if c.workflow == "betting_lines")
    return linked(replace(facts, calls=tuple(c for c in facts.calls if c is not gone)))


def two_decisions(facts):
    [one] = [d for d in facts.decisions if (d.workflow_name, d.tick) == ("betting_lines", et("15:00"))]
    other = replace(one, decision_id="another", action=Action.SKIP, rule="recent", reason="just ran")
    return replace(facts, decisions=(*facts.decisions, other))


def called_twice(facts):
    one = WrittenTwice(written_to="scraper_execution_log", workflow_name="betting_lines", tick=et("15:00"), ids=7)
    return replace(facts, twice=(one,))


def games_of(day, **changes):
    def fault(facts):
        games = tuple(replace(g, **changes) if g.date == day else g for g in facts.schedule.games)
        return replace(facts, schedule=replace(facts.schedule, games=games))

    return fault


def late(facts):
    [tick] = {d.tick for d in facts.decisions if d.tick == et("18:00") and d.workflow_name == "post_game_window_1"}
    call = replace(
        facts.calls[0], workflow="post_game_window_1", slot_time=tick, status=Outcome.NO_DATA, decision_id=None
    )
    made = [
        replace(call, scraper_name="nbac_play_by_play", game_id=g.game_id)
        for g in facts.schedule.games
        if g.date == DAY
    ]
    return replace(facts, calls=(*facts.calls, *made))


def asked(scraper, workflow, when, found, calls=1):
    """The calls of an earlier tick, of which some found data."""
    tick = et(when)
    return AskedTick(
        workflow=workflow, scraper_name=scraper, tick=tick, target_date=tick.date(), calls=calls, found=found
    )


def silent(facts):
    scraper = "oddsa_game_lines"
    before = [asked(scraper, "betting_lines", f"-{n} 19:00", n == 3) for n in (3, 2, 1)]
    made = tuple(replace(c, status=Outcome.NO_DATA) if c.scraper_name == scraper else c for c in facts.calls)
    return replace(facts, calls=made, asked=(*facts.asked, *before))


def dry(facts):
    before = [asked("br_season_roster", "morning_operations", f"-{n} 06:00", 30, 30) for n in range(1, 8)]
    made = tuple(
        replace(c, status=Outcome.NO_DATA) if c.scraper_name == "br_season_roster" and c.map_index % 2 else c
        for c in facts.calls
    )
    return replace(facts, calls=made, asked=(*facts.asked, *before))


def slow(facts):
    before = [
        asked("oddsa_events", "betting_lines", f"-{n} 15:00", 1).model_copy(update={"seconds": 2.5})
        for n in range(1, 8)
    ]
    made = tuple(
        replace(c, duration_seconds=26.0, timeout_seconds=150.0) if c.scraper_name == "oddsa_events" else c
        for c in facts.calls
    )
    return replace(facts, calls=made, asked=(*facts.asked, *before))


def partial(facts):
    made = [
        replace(c, shortfall="2 records, usually 24") if c.scraper_name == "oddsa_player_props" else c
        for c in facts.calls
    ]
    return replace(facts, calls=tuple(made))


def unchanged(facts):
    scraper, path = "nbac_injury_report", "gs://files/old.json"
    before = asked(scraper, "injury_discovery", "-1 13:00", 1).model_copy(update={"last_file": path})
    made = [replace(c, gcs_path=path) if c.scraper_name == scraper else c for c in facts.calls]
    return replace(facts, calls=tuple(made), asked=(*facts.asked, before))


def pool(facts):
    waiting = ("schedule_dependency", et("18:00"))
    without = replace(
        facts,
        executions=tuple(e for e in facts.executions if (e.workflow_name, e.tick) != waiting),
        calls=tuple(c for c in facts.calls if (c.workflow, c.tick) != waiting),
    )
    return seen(Surrounding.WAITING, "nba_com", "schedule_dependency: 1")(without)


def slate(keep=lambda g: True, more=(), **changes):
    """The schedule without some games, and with more."""

    def fault(facts):
        games = (*filter(keep, facts.schedule.games), *more)
        return replace(facts, schedule=replace(facts.schedule, games=games, **changes))

    return fault


def postponed(day, *numbers):
    return [game(n, "19:00", day, text="PPD") for n in numbers]


A_WEEK_LATER = [game(n, "19:00", DAY + timedelta(days=7)) for n in (31, 32, 33)]
FAULTS = {
    "bigquery_down": aborted(NoAnswer.QUOTA),
    "rows_not_taken": seen(Surrounding.OUTBOX, "outbox", "BigQuery took no rows for workflow_decisions"),
    "nothing_recorded": lambda facts: DayFacts(facts.day, facts.schedule),
    "rows_gone": emptied,
    "rows_waiting": waiting,
    "decided_twice": two_decisions,
    "called_twice": called_twice,
    "missing_ticks": no_ticks,
    "airflow_part_dead": seen(Surrounding.COMPONENT, "triggerer", "its last heartbeat was an hour ago"),
    "pool_full": pool,
    "dag_paused": seen(Surrounding.PAUSED, "referee_discovery", "paused"),
    "config_broken": seen(Surrounding.CONFIG, "workflows.yaml", "3:1: no"),
    "rules_changed": lambda facts: replace(
        facts, expected=tuple(replace(e, rules="other", locked_at=et("05:00")) for e in facts.expected)
    ),
    "service_down": seen(Surrounding.SERVICE, "scraper_service", "GET /health: refused"),
    "answers_cut": failed("transport"),
    "unknown_scraper": seen(Surrounding.UNKNOWN_SCRAPER, "scraper_service", "it knows no oddsa_events"),
    "not_the_service": failed("platform_403"),
    "calls_killed": failed("killed"),
    "source_failing": failed("blocked", workflow="injury_discovery"),
    "service_slow": calls("betting_lines", duration_seconds=135.0, timeout_seconds=150.0),
    "slate_vanished": slate(lambda g: g.game_id != "0022500001"),
    "slate_missing": slate(lambda g: g.date != DAY, A_WEEK_LATER, locked=()),
    "slate_postponed": slate(
        more=[*postponed(DAY + timedelta(days=1), 41, 42), *postponed(DAY + timedelta(days=2), 43)]
    ),
    "schedule_frozen": games_of(YESTERDAY, status=1),
    "misdated_tips": games_of(DAY, tip=et("+2 19:00")),
    "source_silent": silent,
    "source_late": late,
    "answer_partial": partial,
    "table_gone": cleanup(errors=("nba_raw.x: BigQuery has no table nba_raw.x",)),
    "cannot_publish": cleanup(missing_files_found=4, errors=("4 not published: no topic",)),
    "phase2_silent": republished_in_vain,
    "games_not_in_table": not_in_table,
    "not_locked": lambda facts: replace(facts, expected=()),
    "slate_appeared": slate(more=[game(5, "14:00")]),
    "partly_locked": lambda facts: replace(
        facts, expected=tuple(e for e in facts.expected if e.workflow_name == "betting_lines")
    ),
    "rules_since": lambda facts: replace(facts, expected=locked(), locked_before=before(OTHER)),
    "mostly_no_data": lambda facts: replace(
        facts,
        calls=tuple(
            replace(c, status=Outcome.NO_DATA) if c.scraper_name == "oddsa_game_lines" else c for c in facts.calls
        ),
    ),
    "source_dry": dry,
    "not_found": calls("referee_discovery", status=Outcome.NO_DATA),
    "scraper_slow": slow,
    "answer_unchanged": unchanged,
    "clock_off": seen(Surrounding.CLOCK, "worker-1", "10 min ahead of BigQuery's"),
    "outbox_unwritable": seen(Surrounding.OUTBOX, "outbox", f"{UNWRITABLE} (file:///outbox: read-only file system)"),
    "channel_failing": seen(Surrounding.CHANNEL, "slack", "since Wed 14 Jan 02:10 ET (HTTP 403). email has taken over"),
    "heartbeat_failing": seen(Surrounding.HEARTBEAT, "heartbeat", "since Wed 14 Jan 02:10 ET (HTTPError: 404)"),
    "halt_forgotten": lambda facts: facts,
}
# Without any record nothing else can be found.
EXCLUDE = {frozenset(("nothing_recorded", kind)) for kind in FAULTS} | {
    frozenset(pair)
    for pair in (
        ("rules_changed", "not_locked"),  # without a lock there are no rules to compare
        ("not_locked", "partly_locked"),
        # a day without games has none that could have another fault
        *(("slate_missing", k) for k in ("slate_vanished", "misdated_tips", "source_late", "slate_appeared")),
        ("slate_vanished", "slate_missing"),
        # one call fails in one way
        *combinations(("answers_cut", "not_the_service", "calls_killed"), 2),
        # a workflow may run unexpected because of these
        ("slate_appeared", "partly_locked"),
        ("misdated_tips", "partly_locked"),
        ("misdated_tips", "source_late"),  # a game without a tip is due with the end of its slate
        ("misdated_tips", "games_not_in_table"),
        ("slate_missing", "games_not_in_table"),  # without games no box score is due
        ("cannot_publish", "phase2_silent"),  # a message that was never sent cannot be read
        ("cannot_publish", "table_gone"),  # both replace the errors of the same cleanup
        ("source_failing", "answer_unchanged"),  # a source that fails returns nothing
        ("service_slow", "scraper_slow"),  # a slow service explains a slow scraper
        ("pool_full", "source_late"),  # a source that returned calls has had slots
    )
}

# A change since the lock before is only said in the morning, when most of the other faults have not begun.
PAIRS = [p for p in combinations(FAULTS, 2) if frozenset(p) not in EXCLUDE and "rules_since" not in p]


def day():
    return a_day(GAMES, NOW)


def found(*kinds):
    facts = day()
    for kind in kinds:
        facts = FAULTS[kind](facts)
    return assess(HALTED if "halt_forgotten" in kinds else CONFIG, facts, MORNING if kinds == ("rules_since",) else NOW)


def test_the_day_without_a_fault_is_healthy():
    assert assess(CONFIG, day(), NOW).findings == ()


def test_every_cause_and_minor_kind_has_a_fault_here():
    assert list(FAULTS) == list(dict.fromkeys(kind.id for kind in KINDS if kind.role is not Role.EFFECT))


@pytest.mark.parametrize("kind", FAULTS)
def test_a_cause_comes_first(kind):
    health = found(kind)
    assert health.findings[0].kind == kind
    assert health.headline.startswith(f"{health.verdict.value}: {health.findings[0].text}")


@pytest.mark.parametrize("pair", PAIRS, ids=" ".join)
def test_the_nearer_of_two_causes_comes_first_and_the_first_line_names_both(pair):
    health = found(*pair)
    kinds = [finding.kind for finding in health.findings]
    named = [next(f for f in health.findings if f.kind == kind) for kind in pair if kind in kinds]
    assert [finding.kind for finding in named] == list(pair)
    assert kinds.index(pair[0]) < kinds.index(pair[1])
    assert all(finding.text in health.headline for finding in named)


def test_a_box_score_is_in_when_its_table_has_the_game():
    facts = a_day()
    of_day = [game.game_id for game in facts.schedule.on(DAY)]
    tables = {s.processed_in: frozenset(of_day) for s in CONFIG.scrapers.values() if s.game_column}
    there = replace(facts, in_tables=tables)
    assert (assess(CONFIG, there, AFTER).findings, assess(CONFIG, there, AFTER).collected) == ((), 2)
    assert assess(CONFIG, there, AFTER).box_scores == "2 of 2 games (2 due)"
    lost = replace(facts, in_tables=tables | {"nba_raw.nbac_player_boxscores": frozenset(of_day[:1])})
    health = assess(CONFIG, lost, AFTER)
    assert health.headline == (
        "UNHEALTHY: 1 of 2 games of 2026-01-14 are not in nba_raw.nbac_player_boxscores, although "
        "nbac_player_boxscore wrote their files: 0022500002 LAL@BOS"
    )
    assert health.box_scores == "1 of 2 games (2 due); 1 file written, but not in nba_raw.nbac_player_boxscores"
    # A table that could not be read says nothing.
    assert assess(CONFIG, replace(facts, in_tables={}), AFTER).findings == ()


@pytest.mark.parametrize(
    ("changes", "stop"),
    [
        (None, "not called"),
        ({"status": Outcome.NO_DATA}, "called and empty"),
        ({"status": Outcome.FAILED}, "failed"),
        ({}, "file written, but not in nba_raw.nbac_team_boxscore"),
    ],
    ids=["not called", "empty", "failed", "written"],
)
def test_the_box_scores_say_where_they_stop(changes, stop):
    facts = a_day()
    about = ("nbac_team_boxscore", facts.schedule.on(DAY)[0].game_id)
    rest = [c for c in facts.calls if (c.scraper_name, c.game_id) != about]
    made = [replace(c, **changes) for c in facts.calls if changes is not None and (c.scraper_name, c.game_id) == about]
    other = frozenset({facts.schedule.on(DAY)[1].game_id})
    seen = replace(facts, calls=(*rest, *made), in_tables={"nba_raw.nbac_team_boxscore": other})
    assert assess(CONFIG, seen, AFTER).stops == {stop: 1}


def test_a_file_that_was_just_written_is_on_its_way_and_no_fault():
    facts = a_day()
    tables = {"nba_raw.nbac_player_boxscores": frozenset()}
    last = max(c.triggered_at for c in facts.calls if c.scraper_name == "nbac_player_boxscore")
    young = [replace(c, triggered_at=last) if c.scraper_name == "nbac_player_boxscore" else c for c in facts.calls]
    health = assess(CONFIG, replace(facts, calls=tuple(young), in_tables=tables), last + timedelta(minutes=99))
    assert "games_not_in_table" not in {finding.kind for finding in health.findings}
    assert health.collected == 0


@pytest.mark.lesson("F2")
@pytest.mark.parametrize("walls", [("05:30",), ("05:30", "06:30", "07:30", "08:30")], ids=len)
def test_files_that_left_the_look_back_are_named_until_they_are_closed(walls):
    facts = open_files(*walls)(day())
    [first] = assess(CONFIG, facts, NOW).findings
    files = "1 file" if len(walls) == 1 else "4 files"
    assert first.text.startswith(f"{files} of nbac_play_by_play never arrived in the tables of Phase 2, the oldest of")
    assert "gs://b/05:30.json" in first.text
    assert "given up on Wed 21 Jan" in first.text
    # The next day begins with the last look of the day before.
    before = replace(facts, cleanups=(), cleanup_before=facts.cleanups[-1])
    assert "phase2_silent" in {finding.kind for finding in assess(CONFIG, before, NOW).findings}
    closed = [file.model_copy(update={"state": FileState.SETTLED}) for file in facts.cleanups[-1].followed_files]
    last = replace(facts.cleanups[-1], followed_files=tuple(closed))
    assert assess(CONFIG, replace(facts, cleanups=(*facts.cleanups[:-1], last)), NOW).findings == ()


@pytest.mark.lesson("F2")
def test_a_cleanup_that_could_not_look_ends_no_finding():
    facts = republished_in_vain(day())
    looked = [replace(c, files_since=et("00:00")) for c in facts.cleanups]
    blind = replace(looked[-1], files_since=None, files_checked=0, missing_files_found=0, missing_files=())
    seen = replace(facts, cleanups=(*looked, replace(blind, cleanup_time=et("19:21"))))
    assert assess(CONFIG, seen, NOW).findings[0].kind == "phase2_silent"


@pytest.mark.lesson("F2")
def test_a_missing_file_that_left_the_look_back_is_not_among_the_findings_that_are_over():
    late = missing_files(1, 300)
    facts = day()
    with_late = [
        replace(c, missing_files=late, missing_files_found=1) if c.cleanup_time.hour < 12 else c for c in facts.cleanups
    ]
    over = replace(facts, cleanups=tuple(with_late))
    assert [was.finding.kind for was in healed(CONFIG, over, NOW)] == ["files_missing"]
    assert healed(CONFIG, open_files("05:30")(over), NOW) == ()


def test_the_late_source_that_most_scrapers_wait_for_comes_first():
    facts = late(day())
    called = [c for c in facts.calls if c.scraper_name == "nbac_play_by_play" and c.workflow == "post_game_window_1"]
    made = [replace(c, scraper_name=n) for c in called for n in ("bigdataball_pbp", "nbac_gamebook_pdf")]
    findings = assess(CONFIG, replace(facts, calls=(*facts.calls, *made)), NOW).findings
    assert [f.workflow for f in findings if f.kind == "source_late"] == ["nba_com", "bigdataball"]


@pytest.mark.parametrize("workflow", ["schedule_dependency", "post_game_window_1"])
def test_a_pool_in_which_calls_are_made_is_not_full(workflow):
    made = next(c for c in day().calls if (c.workflow, c.tick) == ("schedule_dependency", et("18:00")))
    waiting, moved = pool(day()), replace(made, workflow=workflow, triggered_at=et("18:07"))
    moving = replace(waiting, calls=(*waiting.calls, moved))
    assert "pool_full" not in {f.kind for f in assess(CONFIG, moving, NOW).findings}
    before = replace(moved, triggered_at=et("17:59"))
    assert assess(CONFIG, replace(waiting, calls=(*waiting.calls, before)), NOW).findings[0].kind == "pool_full"


def test_aborts_of_two_rules_are_two_findings():
    one = aborted(NoAnswer.DOWN)(day())
    [first, *_] = [d for d in one.decisions if d.action is Action.ABORT and d.workflow_name == "injury_discovery"]
    other = replace(first, rule="window_missed", reason="Missed", decision_id="x", slot_time=et("18:00"))
    found_aborts = [f for f in assess(CONFIG, replace(one, decisions=(*one.decisions, other)), NOW).findings
                    if (f.kind, f.workflow) == ("abort", "injury_discovery")]  # fmt: skip
    assert {f.detail for f in found_aborts} == {"history_unreadable", "window_missed"}


def test_a_down_service_and_a_paused_dag_are_no_fault_while_everything_is_halted():
    halted = changed(settings__halt={"reason": "off-season"})
    facts = seen(Surrounding.SERVICE, "scraper_service", "GET /health: refused")(day())
    facts = seen(Surrounding.PAUSED, "betting_lines", "paused")(facts)
    assert [f.kind for f in assess(CONFIG, facts, NOW).findings] == ["dag_paused", "service_down"]
    health = assess(halted, facts, NOW)
    assert (health.halt, health.findings) == ("off-season", ())
    dead = seen(Surrounding.COMPONENT, "triggerer", "its last heartbeat was an hour ago")(facts)
    assert [f.kind for f in assess(halted, dead, NOW).findings] == ["airflow_part_dead"]


def test_a_broken_file_and_a_halt_that_ended_since_are_no_fault_of_a_past_day():
    now = replace(day(), broken_config="3:1: no")
    assert [f.kind for f in assess(HALTED, now, NOW).findings] == ["config_broken", "halt_forgotten"]
    over = replace(a_day(), broken_config="3:1: no")
    assert assess(HALTED, over, AFTER).findings == assess(HALTED, over, et("+50 12:00")).findings == ()


def test_calls_that_another_caller_makes_too_are_named_from_the_services_log():
    says = "the service's log has a second run for 12 of 14 calls of the last hours"
    [one] = assess(CONFIG, seen(Surrounding.TWICE, "scraper_service", says)(day()), NOW).findings
    assert (one.kind, one.text.startswith("Calls are made twice, since ")) == ("called_twice", True)
    assert says in one.text


def test_an_old_look_of_the_cleanup_does_not_count():
    old = seen(Surrounding.PAUSED, "referee_discovery", "paused")(day())
    cleanups = tuple(c for c in old.cleanups if c.cleanup_time < et("15:00"))
    stale = replace(old, cleanups=(*cleanups, replace(old.cleanups[-1], cleanup_time=et("16:20"))))
    assert "dag_paused" not in {f.kind for f in assess(CONFIG, stale, NOW).findings}


def test_rules_are_compared_with_those_of_the_lock_until_the_day_ends():
    same = [replace(e, rules=rules_digest(CONFIG, e.workflow_name), locked_at=et("05:00")) for e in day().expected]
    assert assess(CONFIG, replace(day(), expected=tuple(same)), NOW).findings == ()
    moved = changed(workflows__post_game_window_1__schedule__fixed_time="15:00")
    [first, *_] = assess(moved, replace(day(), expected=tuple(same)), NOW).findings
    assert (first.kind, first.workflow) == ("rules_changed", "post_game_window_1")
    assert "It runs at 15:00 ET" in first.text
    gone = replace(day(), expected=(expected_run("gone", et("20:00"), rules="abc"),))
    assert "the workflow is not in the file" in assess(CONFIG, gone, NOW).headline
    assert "rules_changed" not in {
        f.kind for f in assess(moved, replace(day(), expected=tuple(same)), et("+1 06:00")).findings
    }


def test_a_key_that_a_release_adds_with_its_default_changes_no_rules():
    spelt = changed(
        workflows__betting_lines__game_types=[str(one) for one in CONFIG.workflows["betting_lines"].game_types]
    )
    assert "game_types" in spelt.workflows["betting_lines"].model_fields_set
    assert rules_digest(spelt, "betting_lines") == rules_digest(CONFIG, "betting_lines")


def test_a_lock_without_a_digest_of_rules_is_not_compared():
    assert assess(changed(workflows__betting_lines__schedule__frequency_hours=3), day(), NOW).findings == ()


def test_a_halt_is_reported_as_forgotten_only_after_its_end():
    def kinds(**halt):
        config = changed(workflows__injury_discovery__halt={"reason": "no credit", **halt})
        return {finding.kind for finding in assess(config, day(), NOW).findings}

    assert kinds() == kinds(until="2026-01-14") == set()
    assert kinds(until="2026-01-13") == kinds(until="2026-01-14T19:00-05:00") == {"halt_forgotten"}


def test_an_ended_halt_is_no_fault_while_everything_is_halted():
    config = changed(
        workflows__injury_discovery__halt={"reason": "no credit", "until": "2026-01-13"},
        settings__halt={"reason": "off-season"},
    )
    assert assess(config, day(), NOW).findings == ()


def locked(config=CONFIG):
    """The day's expected runs, as the locker writes them with this configuration."""
    return tuple(
        replace(
            run,
            rules=rules_digest(config, run.workflow_name),
            calls=calls_digest(config, run.workflow_name),
            locked_at=et("05:00"),
        )
        for run in day().expected
        if run.workflow_name in config.enabled
    )


def before(config=CONFIG, days=1):
    """The lock of some days before with this configuration."""
    return tuple(
        LockedBefore(
            workflow_name=name, date=DAY - timedelta(days=days), runs=1, first=et("22:00"),
            rules=rules_digest(config, name), calls=calls_digest(config, name),
        )
        for name in config.enabled
    )  # fmt: skip


WINDOWS = [name for name in CONFIG.enabled if name.startswith("post_game")]
WITHOUT_TEAMS = changed(
    **{
        f"workflows__{name}__execution_plan__scrapers": [
            s for s in CONFIG.workflows[name].execution_plan.scrapers if s != "nbac_team_boxscore"
        ]
        for name in WINDOWS
    }
)
OFF = changed(**{f"workflows__{name}__enabled": False for name in WINDOWS})
OTHER = changed(scrapers__oddsa_events__parameters={"sport": "basketball_wnba", "game_date": "{{ target_date | ds }}"})


def of_rules(config, facts, now):
    return [(f.kind, f.workflow, f.text) for f in assess(config, facts, now).findings if f.kind.startswith("rules")]


@pytest.mark.parametrize(
    ("config", "workflows", "says"),
    [
        (WITHOUT_TEAMS, WINDOWS, "no longer calls nbac_team_boxscore"),
        (OFF, WINDOWS, "is no longer expected (1 run, the first at 22:00 ET)"),
        (OTHER, ["betting_lines"], "calls oddsa_events with other parameters"),
    ],
    ids=["a scraper", "windows", "parameters"],
)
def test_what_a_deploy_takes_away_is_said_once_in_the_morning_after_the_next_lock(config, workflows, says):
    facts = replace(day(), expected=locked(config), locked_before=before())
    found_then = of_rules(config, facts, MORNING)
    assert [workflow for _, workflow, _ in found_then] == workflows
    assert {kind for kind, _, _ in found_then} == {"rules_since"}
    assert all(says in text and text.endswith("intended, there is nothing to do") for _, _, text in found_then)
    assert all("since the lock of Tue 13 Jan" in text for _, _, text in found_then)
    assert of_rules(config, facts, NOW) == []  # once: in the morning
    next_day = replace(facts, locked_before=(*before(days=2), *before(config)))
    assert of_rules(config, next_day, MORNING) == []


def test_parameters_that_change_after_the_lock_are_said_the_same_day():
    facts = replace(day(), expected=locked(), locked_before=before())
    assert of_rules(CONFIG, facts, MORNING) == of_rules(CONFIG, facts, NOW) == []
    [(kind, workflow, text)] = of_rules(OTHER, facts, NOW)
    assert (kind, workflow) == ("rules_changed", "betting_lines")
    assert "betting_lines calls oddsa_events with other parameters" in text


def test_a_workflow_without_games_in_the_lock_before_is_compared_with_its_last_lock():
    rest = tuple(lock for lock in before() if lock.workflow_name == "morning_operations")
    facts = replace(day(), expected=locked(OTHER), locked_before=(*before(days=3), *rest))
    [(kind, workflow, text)] = of_rules(OTHER, facts, MORNING)
    assert (kind, workflow, "since the lock of Sun 11 Jan" in text) == ("rules_since", "betting_lines", True)
    quiet = tuple(run for run in locked(CONFIG) if run.workflow_name == "morning_operations")
    assert of_rules(CONFIG, replace(day(), expected=quiet, locked_before=before()), MORNING) == []


def test_a_lock_of_an_older_release_has_no_calls_to_compare():
    older = tuple(lock.model_copy(update={"calls": None}) for lock in before())
    facts = replace(day(), expected=locked(), locked_before=older)
    assert of_rules(CONFIG, facts, MORNING) == []
    assert of_rules(OTHER, replace(day(), expected=tuple(replace(r, calls=None) for r in locked())), NOW) == []


def test_a_change_of_rules_is_never_said_to_be_over():
    assert not any(kind.lasts for kind in KINDS if kind.id.startswith("rules"))
