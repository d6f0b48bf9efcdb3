"""The verdict by calendar and windows (lesson K11)."""

from datetime import timedelta

import pytest

from orchestration.alerts.model import alert_of
from orchestration.health.causes import IN_WORDS
from orchestration.health.facts import DayFacts
from orchestration.health.verdict import assess
from orchestration.nba.eastern import after
from orchestration.nba.games import Schedule, read_game
from orchestration.words import BLOCKED_ERRORS, Action, ExecutionStatus, Outcome, Verdict
from support.facts import AFTER, CONFIG, a_day
from support.records import a_cleanup, a_decision, missing_file, missing_files, replace
from support.worlds import DAY, changed, et, game, schedule


def verdict(facts, now=AFTER):
    return assess(CONFIG, facts, now)


@pytest.mark.parametrize("hour", range(5, 24))
def test_a_day_that_goes_as_planned_is_healthy_at_every_hour(hour):
    now = et(f"{hour:02d}:50")
    health = verdict(a_day(until=now), now)
    assert (health.verdict, health.findings) == (Verdict.HEALTHY, ())


def test_a_day_that_goes_as_planned_is_healthy_on_the_morning_after():
    health = verdict(a_day())
    assert (health.verdict, health.games, health.collected) == (Verdict.HEALTHY, 2, 2)
    assert health.headline == "HEALTHY: box scores of 2 of 2 games that are due are in"


@pytest.mark.lesson("K11")
def test_a_day_without_games_is_no_games():
    tomorrow = schedule(game(day=DAY + timedelta(days=1)), refreshed=et("04:30"))
    health = verdict(a_day(tomorrow))
    assert (health.verdict, health.verdict.exit_code) == (Verdict.NO_GAMES, 0)


@pytest.mark.lesson("K10")
def test_a_run_without_execution_is_unhealthy():
    facts = a_day()
    lost = next(e for e in facts.executions if e.workflow_name == "betting_lines")
    health = verdict(replace(facts, executions=tuple(e for e in facts.executions if e is not lost)))
    assert health.verdict is Verdict.UNHEALTHY
    assert health.headline.startswith("UNHEALTHY: RUN without execution: betting_lines decided RUN at 13:00 ET")


@pytest.mark.lesson("E5")
def test_a_day_without_executions_is_never_healthy():
    facts = replace(a_day(), executions=(), calls=())
    assert verdict(facts).verdict is Verdict.UNHEALTHY


def without(facts, since, until, workflow=None):
    """Return the facts without what ran between two times: everything, or one workflow."""

    def stays(row):
        return not (
            since <= row.tick < until and workflow in (None, getattr(row, "workflow_name", None) or row.workflow)
        )

    kept = {name: tuple(filter(stays, getattr(facts, name))) for name in ("decisions", "executions", "calls")}
    cleanups = tuple(c for c in facts.cleanups if workflow is not None or not since <= c.cleanup_time < until)
    return replace(facts, cleanups=cleanups, **kept)


def ticks_missing(facts):
    return [(f.workflow, f.text.partition(": ")[0]) for f in verdict(facts).findings if f.kind == "missing_ticks"]


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("23:30", "+1 05:00", [("all", "Nothing ran from 01:00 to 04:30 ET")]),
        ("+1 00:30", "+1 02:00", [("all", "Nothing ran at 01:00 ET")]),
        ("+1 01:10", "+1 01:30", []),
    ],
)
def test_a_scheduler_that_was_down_at_night_is_no_paused_dag(since, until, found):
    assert ticks_missing(without(a_day(), et(since), et(until))) == found


def test_a_dag_that_was_paused_while_the_scheduler_was_down_is_named_beside_it():
    paused = without(a_day(), et("14:00"), et("+1 05:00"), "betting_lines")
    down = without(paused, et("23:30"), et("+1 05:00"))
    [everything, (workflow, text)] = ticks_missing(down)
    assert everything == ("all", "Nothing ran from 01:00 to 04:30 ET")
    assert (workflow, text.partition(",")[0]) == ("betting_lines", "betting_lines has 10 ticks without a decision")


@pytest.mark.parametrize("workflow", ["post_game_window_2", "post_game_window_3", "schedule_dependency"])
def test_a_dag_that_was_paused_at_night_is_no_scheduler_that_was_down(workflow):
    [(named, _)] = ticks_missing(without(a_day(), et("+1 00:30"), et("+1 05:00"), workflow))
    assert named == workflow


def test_ticks_without_decisions_name_the_dag_or_the_scheduler():
    facts = a_day()
    one = replace(facts, decisions=tuple(d for d in facts.decisions if d.workflow_name != "injury_discovery"))
    assert verdict(one).headline.startswith(
        "UNHEALTHY: injury_discovery has 18 ticks without a decision, the first at 06:00"
    )
    none = replace(facts, decisions=tuple(d for d in facts.decisions if not 14 <= d.tick.hour <= 16))
    assert "No workflow made a decision from 14:00 to 16:00 ET" in verdict(none).headline
    assert "Check whether the scheduler was down" in verdict(none).headline


@pytest.mark.lesson("K6")
def test_a_missing_box_score_is_named_with_the_command_that_fetches_it():
    facts = a_day()
    lost = [c for c in facts.calls if (c.scraper_name, c.game_id) == ("nbac_team_boxscore", "0022500002")]
    health = verdict(replace(facts, calls=tuple(c for c in facts.calls if c not in lost)))
    assert health.headline == (
        "UNHEALTHY: Data is missing for 1 of 2 games of 2026-01-14, for example nbac_team_boxscore of "
        "0022500002 LAL@BOS. reconcile fetches them again at 06:30 ET"
    )
    assert '"target_date": "2026-01-14"' in health.findings[0].command


def test_no_game_is_missing_before_the_last_window_of_the_night():
    facts = a_day(until=et("+1 00:30"))
    assert verdict(facts, et("+1 00:30")).verdict is Verdict.HEALTHY


@pytest.mark.lesson("K2")
def test_a_scraper_with_mostly_no_data_is_reported():
    facts = a_day()
    empty = tuple(
        replace(c, status=Outcome.NO_DATA) if c.scraper_name == "oddsa_player_props" else c for c in facts.calls
    )
    assert verdict(replace(facts, calls=empty)).headline == (
        "DEGRADED: 4 of 4 calls of oddsa_player_props (betting_lines) found no data"
    )


def test_a_failed_execution_counts_until_a_later_one_completes():
    facts = a_day()
    first = next(e for e in facts.executions if e.workflow_name == "betting_lines")
    failed = replace(first, status=ExecutionStatus.FAILED, error_message="oddsa_events: http_500")
    healed = replace(facts, executions=tuple(failed if e is first else e for e in facts.executions))
    assert verdict(healed).verdict is Verdict.HEALTHY
    alone = replace(
        healed, executions=tuple(e for e in healed.executions if e.workflow_name != "betting_lines" or e is failed)
    )
    assert any("oddsa_events: http_500" in f.text for f in verdict(alone).findings)


def test_an_abort_an_unknown_schedule_a_missing_lock_and_a_backlog_are_findings():
    facts = a_day()
    assert "The locker did not lock" in verdict(replace(facts, expected=())).headline
    assert "The schedule is unknown" in verdict(replace(facts, schedule=Schedule())).headline
    assert verdict(replace(facts, schedule=Schedule())).findings[0].command.startswith("airflow dags trigger schedule_")
    last = replace(facts.cleanups[-1], missing_files_found=2, republished_count=1)
    assert verdict(replace(facts, cleanups=(replace(last, republished_count=2),))).findings == ()
    assert "2 of 10 files had not reached their table" in verdict(replace(facts, cleanups=(last,))).headline
    assert "No cleanup has run today" in verdict(replace(facts, cleanups=())).headline
    aborted = replace(facts.decisions[-1], action=Action.ABORT, reason="History unreadable")
    health = verdict(replace(facts, decisions=(*facts.decisions[:-1], aborted)))
    assert "History unreadable" in health.headline


def silent(workflow, *hours, facts=None):
    """A day without decisions and executions of this workflow at these hours."""
    facts = facts or a_day()
    gone = [(workflow, et(f"{hour:02d}:00")) for hour in hours]
    return replace(
        facts,
        decisions=tuple(d for d in facts.decisions if (d.workflow_name, d.tick) not in gone),
        executions=tuple(e for e in facts.executions if (e.workflow_name, e.tick) not in gone),
    )


def missed(facts, now=AFTER):
    return [f.text for f in verdict(facts, now).findings if f.kind == "expected_missed"]


@pytest.mark.lesson("K10")
def test_an_expected_run_that_did_not_happen_is_missed():
    assert missed(silent("morning_operations", 6)) == ["morning_operations should have run at 06:00 ET and did not"]


def test_an_expected_run_is_not_missed_before_it_is_due():
    at = et("06:40")
    assert missed(silent("morning_operations", 6, facts=a_day(until=at)), at) == []


def test_an_expected_run_is_not_missed_if_a_later_tick_made_up_for_it():
    assert missed(silent("betting_lines", 13)) == []
    assert missed(silent("betting_lines", 13, 15, 17, 19)) == [
        "betting_lines should have run at 13:00, 15:00, 17:00, 19:00 ET and did not"
    ]


def test_the_lock_is_due_at_quarter_past_five():
    facts = replace(a_day(until=et("05:10")), expected=())
    kinds = [{f.kind for f in verdict(facts, et(moment)).findings} for moment in ("05:14", "05:15")]
    assert kinds == [set(), {"not_locked"}]


def test_every_finding_has_a_kind_and_a_workflow():
    for facts in (replace(a_day(), expected=()), replace(a_day(), decisions=()), replace(a_day(), executions=())):
        for finding in verdict(facts).findings:
            assert finding.kind
            assert finding.workflow


@pytest.mark.lesson("K11")
@pytest.mark.parametrize("prefix", ["003", "001"], ids=["the All-Star game", "preseason"])
def test_a_day_with_only_preseason_or_all_star_games_is_no_games(prefix):
    health = verdict(a_day(schedule(game(prefix=prefix), game(day=DAY + timedelta(days=3)), refreshed=et("04:30"))))
    assert (health.verdict, health.findings) == (Verdict.NO_GAMES, ())


@pytest.mark.lesson("C10")
def test_the_off_season_is_no_games_halted_or_not():
    assert verdict(a_day(schedule(refreshed=et("04:30")))).verdict is Verdict.NO_GAMES
    config = changed(settings__halt={"reason": "off-season", "until": "2026-10-01"})
    start, end = config.day_bounds(DAY)
    skips = tuple(
        a_decision(name, tick, Action.SKIP, "halted", "off-season")
        for name in config.enabled
        for tick in config.ticks_of(name).between(start, end)
    )
    cleanups = tuple(a_cleanup(t, 0) for t in config.cleanup_ticks.between(start, AFTER))
    stale = Schedule((), et("04:30") - timedelta(days=60))
    health = assess(config, DayFacts(DAY, stale, decisions=skips, cleanups=cleanups), AFTER)
    assert (health.headline, health.findings) == ("NO GAMES: halted: off-season", ())


@pytest.mark.lesson("A2")
def test_a_cleanup_without_file_names_is_degraded():
    facts = a_day()
    errors = ("blind: 94 of 94 calls that brought data name no file; set settings.service_log to the log",)
    last = replace(facts.cleanups[-1], errors=errors)
    health = verdict(replace(facts, cleanups=(*facts.cleanups[:-1], last)))
    assert (health.verdict, [finding.kind for finding in health.findings]) == (Verdict.DEGRADED, ["cleanup_blind"])
    assert "did not know all files: 94 of 94 calls" in health.headline
    now = replace(last, errors=("94 of 94 calls with data name no file, so nobody can see whether it arrived (x)",))
    found = verdict(replace(facts, cleanups=(*facts.cleanups[:-1], now))).findings
    assert [finding.kind for finding in found] == ["cleanup_blind"]
    other = replace(last, errors=("nba_raw.x: permission denied",))
    found = verdict(replace(facts, cleanups=(*facts.cleanups[:-1], other))).findings
    assert [finding.kind for finding in found] == ["cleanup_says"]
    storm = replace(last, errors=("storm: 120 of 130 files", *errors), missing_files_found=120)
    kinds = {finding.kind for finding in verdict(replace(facts, cleanups=(*facts.cleanups[:-1], storm))).findings}
    assert {"cleanup_blind", "files_missing"} <= kinds


def test_a_bigquery_outage_is_named_until_its_aborts_are_made_up_for():
    facts = a_day()
    unread = {"action": Action.ABORT, "rule": "history_unreadable", "reason": "History unreadable: timeout"}
    hit = tuple(replace(d, **unread) if d.tick == et("23:00") else d for d in facts.decisions)
    decisions = tuple(d for d in hit if d.tick <= et("23:00"))
    at = et("23:50")
    health = verdict(replace(a_day(until=at), decisions=decisions, cleanups=facts.cleanups), at)
    assert health.headline == (
        "UNHEALTHY: BigQuery did not answer at 23:00 ET. 8 decisions are ABORT: their workflows did not run, "
        "and decide again at their next tick"
    )
    earlier = tuple(replace(d, **unread) if d.tick == et("09:00") else d for d in facts.decisions)
    assert verdict(replace(facts, decisions=earlier)).findings == ()


def test_an_unreadable_history_at_the_only_tick_of_an_expected_run_is_not_made_up_for():
    facts = a_day()
    hit = tuple(
        replace(d, action=Action.ABORT, rule="history_unreadable")
        if (d.workflow_name, d.tick) == ("post_game_window_1", et("22:00"))
        else d
        for d in facts.decisions
    )
    executions = tuple(e for e in facts.executions if (e.workflow_name, e.tick) != ("post_game_window_1", et("22:00")))
    lost = replace(facts, decisions=hit, executions=executions)
    tonight = [c for c in facts.calls if c.tick < et("22:00")]
    night = replace(lost, calls=tuple(tonight), decisions=tuple(d for d in hit if d.tick <= et("22:00")))
    found = verdict(night, et("22:50")).findings
    assert [(f.kind, f.workflow) for f in found] == [("abort", "post_game_window_1")]
    # Its data is in, from another run.
    assert verdict(lost).findings == ()


def broken(workflow, error_type, *, ticks, scrapers=None, status=ExecutionStatus.FAILED):
    """A day on which these runs failed, each call of these scrapers with the same error."""
    facts = a_day()
    at = {et(tick) for tick in ticks}

    def hit(workflow_name, tick):
        return workflow_name == workflow and tick in at

    return replace(
        facts,
        executions=tuple(
            replace(e, status=status, error_message=error_type) if hit(e.workflow_name, e.tick) else e
            for e in facts.executions
        ),
        calls=tuple(
            replace(c, status=Outcome.FAILED, error_type=error_type)
            if hit(c.workflow, c.tick) and (scrapers is None or c.scraper_name in scrapers)
            else c
            for c in facts.calls
        ),
    )


def test_an_unreachable_service_comes_before_its_effects():
    health = verdict(broken("betting_lines", "connection", ticks=["13:00", "15:00", "17:00", "19:00"]))
    assert health.headline.startswith("UNHEALTHY: The scraper service is unreachable: 12 calls of oddsa_events, ")
    assert "bin/orchestration/check_system_status.sh" in health.findings[0].command
    assert {f.kind for f in health.findings} == {"service_down", "execution_failed"}


def test_a_missing_connection_is_not_reported_as_an_unreachable_service():
    health = verdict(broken("betting_lines", "not_set_up", ticks=["13:00", "15:00", "17:00", "19:00"]))
    assert health.headline.startswith(
        "UNHEALTHY: The connection scraper_service does not exist or contradicts itself: 12 calls of "
    )
    # Airflow's own command for it would print the password.
    assert "bin/orchestration/check_system_status.sh" in health.findings[0].command


def test_a_missing_connection_and_an_unreachable_service_are_two_findings():
    facts = broken("betting_lines", "connection", ticks=["13:00", "15:00", "17:00", "19:00"])
    unset = [c for c in facts.calls if c.error_type and c.scraper_name != "oddsa_events"]
    calls = [replace(c, error_type="not_set_up") if c in unset else c for c in facts.calls]
    health = verdict(replace(facts, calls=tuple(calls)))
    assert len({alert_of(f).key for f in health.findings if f.kind == "service_down"}) == 2
    assert "does not exist or contradicts itself" in health.headline
    assert ". Also: The scraper service is unreachable" in health.headline


@pytest.mark.lesson("E10")
def test_a_source_that_blocks_us_is_named_with_its_scrapers():
    windows = broken("post_game_window_3", "blocked", ticks=["+1 04:00"], scrapers={"nbac_play_by_play"})
    health = verdict(windows)
    calls = "2 calls of nbac_play_by_play failed since 04:00 ET (blocked). "
    calls += "Their data is missing; the next run calls again"
    assert health.headline == f"UNHEALTHY: The source nba_com blocks us (HTTP 403): {calls}"


@pytest.mark.parametrize(
    ("error_type", "says"),
    [("DownloadDecodeMaxRetryException", "blocks us or answers nonsense"), ("KeyError", "fails"), (None, "fails")],
)
def test_an_error_of_a_source_is_explained_and_its_type_follows(error_type, says):
    health = verdict(broken("post_game_window_3", error_type, ticks=["+1 04:00"], scrapers={"nbac_play_by_play"}))
    calls = f"2 calls of nbac_play_by_play failed since 04:00 ET ({error_type or 'failed'})"
    calls += ". Their data is missing; the next run calls again"
    assert health.headline == f"UNHEALTHY: The source nba_com {says}: {calls}"


def test_a_call_whose_retry_succeeded_is_no_cause():
    facts = broken("betting_lines", "timeout", ticks=["19:00"])
    again = tuple(replace(c, status=Outcome.SUCCESS, try_number=2) for c in facts.calls if c.status is Outcome.FAILED)
    health = verdict(replace(facts, calls=(*facts.calls, *again)))
    assert [f.kind for f in health.findings] == ["execution_failed"]


def test_an_execution_that_failed_in_part_is_degraded():
    facts = a_day()
    last = max(e.tick for e in facts.executions if e.workflow_name == "betting_lines")
    partial = [
        replace(e, status=ExecutionStatus.PARTIAL, error_message="x")
        if (e.workflow_name, e.tick) == ("betting_lines", last)
        else e
        for e in facts.executions
    ]
    health = verdict(replace(facts, executions=tuple(partial)))
    assert (health.verdict, [f.kind for f in health.findings]) == (Verdict.DEGRADED, ["execution_partial"])


def test_a_silent_phase_2_and_a_refusing_pubsub_are_different_findings():
    facts = a_day()
    unread = replace(
        facts.cleanups[-1],
        files_checked=10,
        missing_files_found=4,
        republished_count=1,
        missing_files=missing_files(4, 170),
    )
    assert verdict(replace(facts, cleanups=(unread,))).headline == (
        "DEGRADED: Phase 2 does not deliver: 4 of 10 files had not reached their tables at 05:20 ET, the oldest for "
        "170 min. The files are safe, and the cleanup sends their messages again. Check the subscription and the "
        "service of Phase 2"
    )
    young = replace(unread, missing_files=missing_files(4, 45))
    assert verdict(replace(facts, cleanups=(young,))).findings[0].kind == "files_missing"
    refused = replace(young, errors=("4 not published: the topic t does not exist",))
    assert (
        "Pub/Sub takes no messages, so lost files stay lost: 4 not published: the topic t"
        in verdict(replace(facts, cleanups=(refused,))).headline
    )


def test_old_files_after_a_gap_of_cleanups_are_no_finding_at_first():
    facts = a_day()
    waiting = tuple(missing_file(f"gs://b/{n}.json", 140, "nbac_player_boxscore") for n in range(3))
    late = replace(
        facts.cleanups[-1], files_checked=10, missing_files_found=3, republished_count=3, missing_files=waiting
    )
    earlier = replace(
        late, cleanup_time=after(late.cleanup_time, -timedelta(hours=2)), missing_files_found=0, missing_files=()
    )
    assert verdict(replace(facts, cleanups=(earlier, late))).findings == ()
    sent_again = replace(earlier, missing_files_found=3, missing_files=waiting)
    assert verdict(replace(facts, cleanups=(sent_again, late))).findings[0].kind == "phase2_silent"


def test_a_veto_is_no_failure_and_an_unfinished_run_has_missed_its_deadline():
    facts = a_day()
    last = max((e for e in facts.executions if e.workflow_name == "betting_lines"), key=lambda e: e.tick)

    def ends(**how):
        return replace(facts, executions=tuple(replace(e, **how) if e is last else e for e in facts.executions))

    vetoed = verdict(ends(status=ExecutionStatus.FAILED, error_message="Vetoed by Ann at 19:02 ET: no credit")).findings
    assert [(f.kind, f.verdict) for f in vetoed] == [("vetoed", Verdict.DEGRADED)]
    late = ends(
        status=ExecutionStatus.FAILED,
        scrapers_triggered=0,
        deadline_missed=True,
        error_message="Deadline missed: not over",
    )
    assert [f.kind for f in verdict(late).findings] == ["deadline_missed"]
    assert verdict(ends(deadline_missed=True)).findings == ()


@pytest.mark.lesson("K6")
def test_a_success_of_a_live_game_leaves_it_incomplete():
    facts = a_day()
    early = tuple(replace(c, slot_time=et("22:00")) if c.game_id == "0022500002" else c for c in facts.calls)
    health = verdict(replace(facts, calls=early))
    assert (health.collected, health.games) == (1, 2)
    assert health.headline.startswith("UNHEALTHY: Data is missing for 1 of 2 games of 2026-01-14, for example ")


def test_a_whole_date_that_failed_leaves_every_game_incomplete():
    facts = a_day()
    calls = tuple(
        replace(c, status=Outcome.FAILED) if c.scraper_name == "nbac_player_boxscore" else c for c in facts.calls
    )
    health = verdict(replace(facts, calls=calls))
    assert health.collected == 0
    missing = "Data is missing for 2 of 2 games of 2026-01-14, for example nbac_player_boxscore of 0022500001 LAL@BOS"
    assert missing in health.headline


def test_a_game_without_a_tip_is_not_missing_before_the_end_of_its_slate():
    facts = a_day(schedule(game(1, "00:00"), refreshed=et("04:30")))
    assert verdict(facts).verdict is Verdict.HEALTHY
    late = replace(facts, schedule=replace(facts.schedule, refreshed_at=et("+1 06:30")))
    assert verdict(late, et("+1 06:44")).findings == ()
    assert verdict(late, et("+1 06:45")).findings[0].kind == "games_incomplete"


def test_unusable_rows_are_one_finding_that_names_them():
    row = read_game("0042500101", "20260114/", DAY, et("19:30"), "", "")
    facts = a_day()
    many = replace(facts, schedule=replace(facts.schedule, unusable=(row,) * 7))
    health = verdict(many)
    assert (health.verdict, [f.kind for f in health.findings]) == (Verdict.DEGRADED, ["unusable_rows"])
    assert health.headline.startswith(
        "DEGRADED: 7 rows of the schedule are unusable and left out of every decision: 0042500101 on 2026-01-14: "
    )
    assert health.headline.endswith("; and 2 more")
    ahead = read_game("0042500101", "20260120/", DAY + timedelta(days=6), et("+6 19:30"), "", "")
    undecided = replace(facts, schedule=replace(facts.schedule, unusable=(ahead,)))
    assert verdict(undecided).verdict is Verdict.HEALTHY


SHADOW = changed(settings__mode="shadow", settings__audit_dataset="nba_phase1")


def a_shadow_day(**changes):
    """A day with all decisions and no calls."""
    facts = a_day()
    decisions = tuple(replace(decision, context={"mode": "shadow"}) for decision in facts.decisions)
    return replace(facts, **{"decisions": decisions, "executions": (), "calls": (), **changes})


def shadow_kinds(facts, config=SHADOW, now=AFTER):
    return [finding.kind for finding in assess(config, facts, now).findings]


@pytest.mark.lesson("A9")
def test_missing_executions_and_games_are_no_fault_of_a_shadow():
    health = assess(SHADOW, a_shadow_day(), AFTER)
    assert (health.verdict, health.findings, health.collected) == (Verdict.HEALTHY, (), 0)
    assert health.headline == "HEALTHY: a shadow: everything is decided and recorded, nothing is called"


@pytest.mark.parametrize(
    ("rule", "found"),
    [("missed_window", []), ("unusable_rows", []), ("history_unreadable", ["abort"]), ("internal_error", ["abort"])],
)
def test_an_abort_is_a_fault_of_a_shadow_only_if_it_could_not_decide(rule, found):
    facts = a_shadow_day()
    aborted = a_decision("betting_lines", et("22:00"), Action.ABORT, rule, "why", shadow=True)
    # The last decision of that workflow on the day, so no later one makes up for it.
    others = tuple(d for d in facts.decisions if d.workflow_name != "betting_lines" or d.tick < et("22:00"))
    late = tuple(d for d in facts.decisions if d.workflow_name == "betting_lines" and d.tick > et("22:00"))
    assert shadow_kinds(replace(facts, decisions=(*others, aborted))) == [*(["missing_ticks"] if late else []), *found]


def test_a_missing_lock_or_tick_is_a_fault_of_a_shadow():
    day = a_shadow_day()
    assert shadow_kinds(replace(day, expected=())) == ["not_locked"]
    assert shadow_kinds(replace(day, cleanups=())) == ["no_cleanup"]
    assert "missing_ticks" in shadow_kinds(replace(day, decisions=day.decisions[:20]))


@pytest.mark.lesson("A9")
def test_the_games_and_runs_of_a_shadow_workflow_do_not_count_in_a_live_system():
    config = changed(workflows__betting_lines__mode="shadow")
    facts = a_day()
    shadow = {d.decision_id for d in facts.decisions if d.workflow_name == "betting_lines"}
    decisions = tuple(replace(d, context={"mode": "shadow"}) if d.decision_id in shadow else d for d in facts.decisions)
    without = tuple(e for e in facts.executions if e.workflow_name != "betting_lines")
    assert shadow_kinds(replace(facts, decisions=decisions, executions=without), config) == []
    assert "run_without_execution" in shadow_kinds(replace(facts, executions=without), changed())


def test_a_decision_made_in_shadow_mode_stays_one_after_the_switch():
    """Shadow decisions before the switch are no RUN without execution."""
    facts = a_day()
    decisions = tuple(replace(d, context={"mode": "shadow"}) if d.tick < et("12:00") else d for d in facts.decisions)
    later = tuple(e for e in facts.executions if e.tick >= et("12:00"))
    assert "run_without_execution" not in shadow_kinds(replace(facts, decisions=decisions, executions=later), changed())


def test_every_error_type_of_a_refused_call_is_described_as_blocked():
    assert [error for error in BLOCKED_ERRORS if not IN_WORDS[error].startswith("blocks us")] == []
