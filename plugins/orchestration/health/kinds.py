"""The registry of kinds: every finding of the health check and every alert. Pure.

The status, the first line of ``health``, the alerts and the page 12-alerts use it. The order is the rank of causes:
BigQuery, Airflow, our rules, the service, a source, the handoff. A cause that stops more comes first.

The health check raises a kind with ``finding(kinds.NOT_LOCKED, ...)``, a task with ``alert(task_kinds.STUCK, ...)``.
The kinds that only tasks raise are in :mod:`orchestration.health.task_kinds`, after these in the rank.
"""

from __future__ import annotations

from functools import partial

from orchestration.health.commands import (
    AGAIN,
    CHECK_SCRAPER,
    FAILURES,
    INIT,
    REFRESH,
    RELOCK,
    SINCE_LOCK,
    STATUS,
    STATUS_NOW,
    TIMELINE,
)
from orchestration.health.findings import AlertedBy, FindingKind, Part, Role, script, trigger
from orchestration.health.task_kinds import TASK_KINDS
from orchestration.words import AlertLevel

WARNING = AlertLevel.WARNING
Cause = partial(FindingKind, role=Role.CAUSE)
Minor = partial(FindingKind, role=Role.MINOR, level=WARNING)
OF_CALLS = frozenset({"missing_games", "catch_up", "deadline_missed"})
"""What follows when calls fail or find nothing. Games that reconcile could not fetch either need a person."""
OF_RUNS = OF_CALLS | {"expected_missed", "run_without_execution", "not_locked", "no_cleanup", "missing_ticks"}
"""What follows when runs wait or do not start."""
OF_FILES = frozenset({"files_missing", "many_missing", "cleanup_says", "games_not_in_table", "stuck", "storm"})
"""What follows when files do not reach their tables."""

# fmt: off
# Causes.
BIGQUERY_DOWN = Cause(
    "bigquery_down", STATUS, part=Part.DECISIONS, of_a_shadow=True,
    explains=OF_RUNS | {"cleanup_says", "files_missing", "log_unreadable", "rows_waiting", "plan_aborts"},
    text="{why} {when} ET. {aborts} decisions are ABORT: their workflows did not run, and decide again at their next "
    "tick{more}")
ROWS_NOT_TAKEN = Cause(
    "rows_not_taken", STATUS, alerted_by=AlertedBy.HEALTH_ONLY, part=Part.DECISIONS, of_a_shadow=True,
    cause="bigquery_down all",
    text="BigQuery has taken no rows since {since} ET: {why}. The rows wait in the outbox, and each cleanup sends them "
    "again")
NOTHING_RECORDED = Cause(
    "nothing_recorded", "airflow dags list-runs schedule_locker", alerted_by=AlertedBy.HEALTH_ONLY, part=Part.DECISIONS,
    of_a_shadow=True,
    text="No workflow made a decision on {day}, and nothing else is on record about this day or the 8 days before: no "
    "lock, call or cleanup. The system was not on, or its tables were emptied")
ROWS_GONE = Cause("rows_gone", STATUS, part=Part.DECISIONS, of_a_shadow=True,
    text="Rows are gone from {dataset}.{workflow}: {proof} ({when} ET), and no row is left in between. The table was "
    "emptied or a part of it deleted. BigQuery keeps deleted rows for 7 days: copy them back")
ROWS_WAITING = Cause(
    "rows_waiting", STATUS_NOW, level=WARNING, part=Part.DECISIONS, of_a_shadow=True,
    text="Rows are not in {dataset}.{workflow}: {proof} ({which} ET). They wait in the outbox of a worker that no "
    "cleanup drains, or were deleted. Give all workers one outbox (ORCHESTRATION_OUTBOX)")
DECIDED_TWICE = Cause("decided_twice", TIMELINE, part=Part.DECISIONS, of_a_shadow=True,
    text="A second copy of this system writes to the same tables: {ticks} of {day} with two decisions, for example "
    "{example}. Stop one of the two")
CALLED_TWICE = Cause("called_twice", TIMELINE, level=WARNING, part=Part.CALLS,
    text="Calls are made twice, since {since} ET: {why}. A second copy of this system or another caller runs beside it")
ALL_TICKS_MISSING = Cause(
    "missing_ticks", "airflow jobs check --job-type SchedulerJob", part=Part.DECISIONS, of_a_shadow=True,
    # A run that is late was decided.
    explains=OF_RUNS - {"deadline_missed"},
    text="No workflow made a decision {when} ET: {ticks} without a decision. Check whether the scheduler was down")
TICKS_MISSING_BESIDE_CLEANUPS = ALL_TICKS_MISSING.also(command=STATUS,
    text="No workflow made a decision {when} ET: {ticks} without a decision, although {cleanups} ran in this time. "
    "Check whether rows were deleted, or Airflow did not have the DAGs")
NOTHING_RAN = ALL_TICKS_MISSING.also(
    text="Nothing ran {when} ET: {ticks} without a decision. The scheduler was down, or every DAG that "
    "was due was paused")
AIRFLOW_PART_DEAD = Cause(
    "airflow_part_dead", "airflow jobs check --limit 10 --allow-multiple", part=Part.EXECUTIONS, of_a_shadow=True,
    explains=OF_RUNS,
    text="Airflow's {about} is dead, first seen at {since} ET: {why}. Runs that need it wait. Restart it")
POOL_FULL = Cause(
    "pool_full", "airflow pools list", part=Part.EXECUTIONS, explains=OF_CALLS | {"run_without_execution"},
    text="The pool {workflow} is full: at {at} ET {tasks} of {waiting} waited for a slot, and no call of the pool "
    "starts")
DAG_PAUSED = Cause("dag_paused", "airflow dags unpause {workflow}", part=Part.DECISIONS, of_a_shadow=True,
    explains_own=OF_RUNS,
    text="The DAG {workflow} is paused, first seen at {since} ET. It does not run until somebody unpauses it")
CONFIG_BROKEN = Cause("config_broken", "python -m orchestration validate", part=Part.LOCKER, of_a_shadow=True,
    text="workflows.yaml is broken, so its changes do not count. The last good file stays in force until it is "
    "right: {why}")
RULES_CHANGED = Cause(
    "rules_changed", RELOCK, level=WARNING, part=Part.LOCKER, of_a_shadow=True, lasts=False,
    explains_own=frozenset({"expected_missed", "missing_ticks"}),
    text="workflows.yaml was changed after the lock of {locked} ET{what} If the change is intended, lock the day again")
SERVICE_DOWN = Cause("service_down", STATUS, part=Part.CALLS, explains=OF_CALLS,
    text="The scraper service is unreachable, first seen at {since} ET. All calls fail until it is back; then the runs "
    "go on by themselves. {why}")
SERVICE_NOT_SET_UP = SERVICE_DOWN.also(or_warning=True,
    text="The connection scraper_service does not exist or contradicts itself: {calls}")
SERVICE_UNREACHABLE = SERVICE_DOWN.also(or_warning=True,
    text="The scraper service is unreachable: {calls}")
ANSWERS_CUT = Cause("answers_cut", STATUS, or_warning=True, part=Part.CALLS, explains=OF_CALLS,
    text="Answers of the scraper service break off in the middle: {calls}")
UNKNOWN_SCRAPER = Cause("unknown_scraper", INIT, part=Part.CALLS, explains=OF_CALLS,
    text="The scraper service does not know every scraper, first seen at {since} ET. Check whether a new version was "
    "deployed. {why}")
UNKNOWN_SCRAPER_CALLED = UNKNOWN_SCRAPER.also(or_warning=True,
    text="The scraper service does not know a scraper: {calls}. Check whether a new version was deployed")
NOT_THE_SERVICE = Cause("not_the_service", STATUS, or_warning=True, part=Part.CALLS, explains=OF_CALLS,
    text="Something else answers in place of the scraper service: {calls}. Check its address, its limits, and our role "
    "run.invoker")
CALLS_KILLED = Cause("calls_killed", TIMELINE, or_warning=True, part=Part.CALLS, explains=OF_CALLS,
    text="Calls ended without an answer: {calls}. Their process died, or a person set their state")
SOURCE_FAILING = Cause("source_failing", FAILURES, or_warning=True, part=Part.CALLS, explains=OF_CALLS,
    text="The source {workflow} {fails}: {calls} ({error}). Their data is missing; the next run calls again")
SERVICE_SLOW = Cause(
    "service_slow", STATUS, level=WARNING, part=Part.CALLS, explains=frozenset({"scraper_slow", "deadline_missed"}),
    text="The scraper service is slow: since {since} ET {what}. At its time limit a call fails")
SLATE_VANISHED = Cause(
    "slate_vanished", REFRESH, part=Part.DECISIONS, of_a_shadow=True, explains=frozenset({"expected_missed"}),
    text="{games}. No workflow collects them until they are back. If they are cancelled, lock the day again by force")
SLATE_MISSING = Cause(
    "slate_missing", REFRESH, level=WARNING, part=Part.DECISIONS, of_a_shadow=True, explains=frozenset({"plan_empty"}),
    text="The schedule has no game on {day}, although the season's calendar has games on such a day: {usual} a week "
    "later. Refresh the schedule, and check whether rows were deleted")
SLATE_POSTPONED = Cause("slate_postponed", REFRESH, level=WARNING, part=Part.DECISIONS, of_a_shadow=True,
    text="All games of {dates} are postponed at once: {games}. Check whether the source is right")
SCHEDULE_FROZEN = Cause("schedule_frozen", REFRESH, part=Part.DECISIONS, of_a_shadow=True,
    text="The schedule's source is frozen: refreshed {refreshed} ET, it still says that none of the {games} games of "
    "{night} is over")
MISDATED_TIPS = Cause("misdated_tips", REFRESH, level=WARNING, part=Part.DECISIONS, of_a_shadow=True,
    text="{wrong} of {tips} tips of {day} are not on their game date, for example the tip of {game}. They count as "
    "unknown: windows open with business hours, and games are due when their slate ends. Refresh the schedule; if they "
    "stay wrong, its source is wrong")
MISDATED_TIPS_CHECKED = MISDATED_TIPS.also(alerted_by=AlertedBy.CHECK_TABLES,
    text="{tips}",
    example="2 of 9 tips in the schedule table are not on their game date, for example 0022500001 of 2026-01-14: "
    "2026-01-13 19:00 ET")
SOURCE_SILENT = Cause(
    "source_silent", TIMELINE, level=WARNING, part=Part.CALLS,
    explains_own=frozenset({"mostly_no_data", "source_dry"}),
    text="The source {source} is silent: {workflow} has found nothing since {since} ET, today in {calls} calls")
SOURCE_LATE = Cause("source_late", TIMELINE, level=WARNING, part=Part.BOX_SCORES, explains=OF_CALLS,
    text="The source {workflow} is late: {scrapers} found none of the {games} games that are due")
ANSWER_PARTIAL = Cause(
    "answer_partial", trigger("{caller}", force=True, target_date="{day}", scrapers=["{scraper}"]), level=WARNING,
    part=Part.CALLS, explains=OF_CALLS,
    text="{workflow} ({caller}) returned too little at {at} ET{calls}: {short}. {lost}{again}")
TABLE_GONE = Cause("table_gone", STATUS, alerted_by=AlertedBy.HEALTH_ONLY, part=Part.HANDOFF, explains=OF_FILES,
    text="A table is gone, seen at {at} ET: {why}")
CANNOT_PUBLISH = Cause(
    "cannot_publish", STATUS, alerted_by=AlertedBy.HEALTH_ONLY, level=WARNING, part=Part.HANDOFF, explains=OF_FILES,
    text="Pub/Sub takes no messages, so lost files stay lost: {why}")
PHASE2_SILENT = Cause(
    "phase2_silent", STATUS, level=WARNING, part=Part.HANDOFF,
    explains=OF_FILES | {"files_given_up", "vanished"},
    text="Phase 2 does not deliver: {missing} of {files} files had not reached their tables at {at} ET, the oldest for "
    "{minutes} min. The files are safe, and the cleanup sends their messages again. Check the subscription and the "
    "service of Phase 2{more}")

PHASE2_OWES = PHASE2_SILENT.also(
    command=script("check_missing_executions", "{day}", " --files"),
    text="{files} of {scrapers} never arrived in the tables of Phase 2, the oldest of {since} ET. Each stays "
    "open until it arrives; the oldest is given up on {end}: {which}")

# Minor findings: each has its own cause and explains no other finding.
GAMES_NOT_IN_TABLE = Minor("games_not_in_table", AGAIN, level=AlertLevel.CRITICAL,
    or_warning=True, part=Part.BOX_SCORES,
    text="{lacking} of {games} of {day} are not in {table}, although {scraper} wrote their files: {which}")
NOT_LOCKED = Minor("not_locked", "airflow dags list-runs schedule_locker", part=Part.LOCKER, of_a_shadow=True,
    text="The locker did not lock {day}, so no list of expected runs exists. Check whether the DAG schedule_locker is "
    "paused")
GAMES_NOT_LOCKED = NOT_LOCKED.also(
    text="The locker did not lock {day}, although it has {games}, so no list of expected runs exists. {check}")
SLATE_APPEARED = Minor("slate_appeared", RELOCK, part=Part.LOCKER, of_a_shadow=True,
    text="{games} of {day} appeared in the schedule after the lock of {locked} ET: {which}. The list of expected runs "
    "does not know them. Lock the day again")
LOCKED_EMPTY = SLATE_APPEARED.also(
    text="The lock of {locked} ET found no game on {day}, and the schedule now has {games}: {which}. The list of "
    "expected runs does not know them. Lock the day again")
PARTLY_LOCKED = Minor("partly_locked", RELOCK, part=Part.LOCKER, of_a_shadow=True,
    text="The lock of {locked} ET is not whole: it names {named}, and not {missing}, which ran without it. A missing "
    "run of these is not noticed. Lock the day again")
RULES_SINCE = Minor("rules_since", SINCE_LOCK, part=Part.LOCKER, of_a_shadow=True, lasts=False,
    text="workflows.yaml was changed since the lock of {before}: {workflow} {what}. If the change is intended, there "
    "is nothing to do")
MOSTLY_NO_DATA = Minor("mostly_no_data", TIMELINE, part=Part.CALLS,
    text="{empty} of {calls} calls of {workflow} ({caller}) found no data")
SOURCE_DRY = Minor("source_dry", CHECK_SCRAPER, part=Part.CALLS,
    text="{workflow} ({caller}) has found too little since {since} ET: at {at} ET {empty} of {calls} found no data, "
    "while usually {usual} % of its calls find some. Check whether the source still publishes")
NOT_FOUND = Minor("not_found", CHECK_SCRAPER, part=Part.CALLS,
    text="{workflow} has found nothing of {scraper} since {since} ET, in {attempts}{why}. {next}. Check whether the "
    "source has published")
SCRAPER_SLOW = Minor("scraper_slow", CHECK_SCRAPER, part=Part.CALLS,
    text="{workflow} is slow: since {since} ET a call takes {seconds} s{usual}{limit}. Check whether the "
    "source is slow")
ANSWER_UNCHANGED = Minor("answer_unchanged", CHECK_SCRAPER, part=Part.CALLS,
    text="{workflow} returned at {at} ET the same {what} as on {before}, although it changes daily. The data of {day} "
    "may be old. Check the source")
CLOCK_OFF = Minor("clock_off", STATUS, part=Part.DECISIONS, of_a_shadow=True,
    text="The clock of {about} is wrong, first seen at {since} ET: {why}. Set it right")
CLOCKS_CONTRADICT = CLOCK_OFF.also(
    text="A worker's clock is wrong by {minutes} min or more since {since} ET: {says}. Airflow's page of the run names "
    "the worker. Set its clock right")
OUTBOX_UNWRITABLE = Minor("outbox_unwritable", STATUS, part=Part.DECISIONS, of_a_shadow=True,
    text="The outbox {why}, first seen at {since} ET. Rows go straight to BigQuery, and are lost if BigQuery does not "
    "take them")
CHANNEL_FAILING = Minor("channel_failing", "python -m orchestration alerts test", part=Part.CLEANUP, of_a_shadow=True,
    text="Alerts do not reach the channel {about} {why}")
HEARTBEAT_FAILING = Minor("heartbeat_failing", "python -m orchestration init", part=Part.CLEANUP, of_a_shadow=True,
    text="The monitor of the watchdog has taken no heartbeat {why}. It will report a dead watchdog that is not dead. "
    "Check settings.alerts.heartbeat and the monitor")
HALT_FORGOTTEN = Minor("halt_forgotten", "python -m orchestration describe", part=Part.LOCKER, of_a_shadow=True,
    text="The halt of {what} ended on {until} and still stands in workflows.yaml ({reason}), so {what} runs again. "
    "Remove the halt, or give it a new end")

# Effects: they may follow from a cause.
SCHEDULE_UNKNOWN = FindingKind("schedule_unknown", REFRESH, part=Part.DECISIONS, of_a_shadow=True,
    text="The schedule is unknown: {why}. Decisions about games are ABORT until it is refreshed")
UNUSABLE_ROWS = FindingKind("unusable_rows", REFRESH, level=WARNING, part=Part.DECISIONS,
    text="{rows} unusable and left out of every decision: {which}")
TICKS_MISSING = ALL_TICKS_MISSING.also(command="airflow dags list --columns dag_id,is_paused", role=Role.EFFECT,
    text="{workflow} has {ticks} without a decision, the first at {first} ET. Their data is missing until it runs "
    "again. Check whether its run waits, failed before the decision, or never started")
EXPECTED_MISSED = FindingKind(
    "expected_missed", script("check_missing_executions", "{day}"), part=Part.DECISIONS, of_a_shadow=True,
    text="{workflow} should have run at {times} ET and did not")
ABORT = FindingKind("abort", TIMELINE, part=Part.DECISIONS, of_a_shadow=True,
    text="{workflow} could not run at {at} ET{times}: {reason}. It decides again at its next tick")
ABORT_NOW = ABORT.also(alerted_by=AlertedBy.ABORT, alerts_key="failure", level=WARNING,
    text="{workflow} could not run at {at} ET: {reason}. It decides again at its next tick")
RUN_WITHOUT_EXECUTION = FindingKind(
    "run_without_execution", "airflow dags list-runs {workflow}", part=Part.EXECUTIONS,
    text="RUN without execution: {workflow} decided RUN at {at} ET, and no call was made")
CALLS_WITHOUT_EXECUTION = RUN_WITHOUT_EXECUTION.also(
    text="RUN without execution: {workflow} decided RUN at {at} ET and made {calls}, but no execution is on record")
VETOED = FindingKind("vetoed", TIMELINE, level=WARNING, part=Part.EXECUTIONS,
    text="{workflow} made no calls at {at} ET. {why}")
VETOED_NOW = VETOED.also(alerted_by=AlertedBy.FINISH)
DEADLINE_MISSED = FindingKind(
    "deadline_missed", "airflow dags list-runs {workflow} --state running", alerted_by=AlertedBy.HEALTH_ONLY,
    part=Part.EXECUTIONS, of_a_shadow=True,
    text="The run of {workflow} at {at} ET has not ended: {why}")
DEADLINE_UNSENT = DEADLINE_MISSED.also(alerted_by=AlertedBy.WATCH)
DEADLINE_MISSED_NOW = DEADLINE_MISSED.also(
    command="airflow tasks states-for-dag-run {workflow} '{run_id}'", alerted_by=AlertedBy.DEADLINE,
    alerts_key="failure", level=WARNING,
    text="Deadline missed: the run of {workflow} at {at} ET was {late}")
EXECUTION_FAILED = FindingKind(
    "execution_failed", FAILURES, or_warning=True, alerts_key="failure", part=Part.EXECUTIONS,
    text="{workflow} failed at {at} ET: {why}. The data of these calls is missing; the next run calls again")
EXECUTION_FAILED_NOW = EXECUTION_FAILED.also(alerted_by=AlertedBy.FINISH)
EXECUTION_PARTIAL = FindingKind("execution_partial", FAILURES, level=WARNING, part=Part.EXECUTIONS,
    text="{workflow} failed in part at {at} ET: {why}. The data of these calls is missing; the next run calls again")
GAMES_INCOMPLETE = FindingKind("games_incomplete", AGAIN, or_warning=True, part=Part.BOX_SCORES,
    text="Data is missing for {incomplete} of {games} games of {day}, for example {scrapers} of {game}{stop}{again}")
GAMES_NOT_RECONCILED = GAMES_INCOMPLETE.also(alerted_by=AlertedBy.TELL_OPEN,
    text="Data is missing for {games} of {day}, and reconcile could not fetch it: {scrapers}. Nothing fetches it again "
    "by itself. {which}")
FILES_MISSING = FindingKind(
    "files_missing", STATUS, alerted_by=AlertedBy.HEALTH_ONLY, level=WARNING, part=Part.HANDOFF,
    text="{missing} of {files} files had not reached their tables at {at} ET. The cleanup republished {republished}, "
    "and looks again each hour")
NO_CLEANUP = FindingKind(
    "no_cleanup", "airflow dags list-runs cleanup", alerted_by=AlertedBy.HEALTH_ONLY, level=WARNING,
    part=Part.CLEANUP, of_a_shadow=True,
    text="No cleanup has run {since}, so lost files are neither found nor republished")
NO_CLEANUP_CHECKED = NO_CLEANUP.also(alerted_by=AlertedBy.CHECK_TABLES,
    text="{text}. The watchdog is part of it, so no new fault is alerted. See whether the DAG is paused "
    "or its runs fail",
    example="No cleanup has run since 17:20 ET, so lost files are neither found nor republished. The watchdog is part "
    "of it, so no new fault is alerted. See whether the DAG is paused or its runs fail")
CLEANUP_BLIND = FindingKind(
    "cleanup_blind", STATUS, alerted_by=AlertedBy.HEALTH_ONLY, level=WARNING, part=Part.CLEANUP,
    text="The cleanup at {at} ET did not know all files: {why}")
CLEANUP_SAYS = FindingKind(
    "cleanup_says", STATUS, alerted_by=AlertedBy.HEALTH_ONLY, level=WARNING, part=Part.CLEANUP, of_a_shadow=True,
    text="The cleanup at {at} ET reported: {why}")

# fmt: on
KINDS: tuple[FindingKind, ...] = (
    *(one for one in vars().values() if isinstance(one, FindingKind)),
    *TASK_KINDS,
)
"""All kinds. A kind with several sentences appears once for each sentence."""
RANK = {kind_id: rank for rank, kind_id in enumerate(dict.fromkeys(kind.id for kind in KINDS))}
"""The rank of each id: its place in the order above."""
