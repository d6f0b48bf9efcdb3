"""Every kind of finding and alert, once. The status, the first line, the alerts and 12-alerts are made of it. Pure.

The order is the order in which causes are named: what everything needs comes before what only a part of it needs.
BigQuery, Airflow, our rules, the service, a source, the handoff. The constant of a kind is what raises it:
``finding(kinds.NOT_LOCKED, "schedule_locker", day=...)`` in the health check, ``alert(kinds.STUCK, ...)`` in a task.
"""

from __future__ import annotations

from functools import partial

from orchestration.decisions.model import HISTORY_UNREADABLE
from orchestration.decisions.types.discovery import ATTEMPTS_USED_UP
from orchestration.decisions.types.discovery import FOUND as FOUND_RULE
from orchestration.health.findings import SCRIPTS, AlertedBy, FindingKind, Part, Role, script, trigger
from orchestration.words import AlertLevel

WARNING = AlertLevel.WARNING
STATUS, TIMELINE = script("check_system_status", "{day}"), script("view_today_timeline", "{day}")
FAILURES = script("investigate_scraper_failures", "{day}", " --days 1")
STATUS_NOW = f"{SCRIPTS}/check_system_status.sh"
INIT = "python -m orchestration init"
REFRESH = trigger("schedule_dependency", force=True)
AGAIN = trigger("{workflow}", force=True, target_date="{day}")

Cause = partial(FindingKind, role=Role.CAUSE)
Minor = partial(FindingKind, role=Role.MINOR, level=WARNING)
Republishing = partial(FindingKind, command=STATUS_NOW, alerted_by=AlertedBy.REPUBLISH)
Draining = partial(FindingKind, command=STATUS_NOW, alerted_by=AlertedBy.DRAIN_OUTBOX)
Decided = partial(FindingKind, text="{reason}", command=TIMELINE, alerted_by=AlertedBy.DECIDE, level=AlertLevel.NONE)

# fmt: off
# Causes.
BIGQUERY_DOWN = Cause(
    "bigquery_down", STATUS, part=Part.DECISIONS, explains=frozenset({("abort", HISTORY_UNREADABLE)}), of_a_shadow=True,
    text="{why} at {times} ET: {count} decisions were ABORT{more}")
ROWS_NOT_TAKEN = Cause(
    "rows_not_taken", STATUS, alerted_by=AlertedBy.HEALTH_ONLY, part=Part.DECISIONS, of_a_shadow=True,
    text="BigQuery does not take our rows {at}, they wait in the outbox: {why}")
ALL_TICKS_MISSING = Cause(
    "missing_ticks", "airflow jobs check --job-type SchedulerJob", part=Part.DECISIONS, of_a_shadow=True,
    text="no decision of any workflow between {first} and {last} ET ({count} ticks); was the scheduler down?")
AIRFLOW_PART_DEAD = Cause(
    "airflow_part_dead", "airflow jobs check --limit 10 --allow-multiple", part=Part.EXECUTIONS, of_a_shadow=True,
    text="Airflow's {about} is dead {at}: {why}")
POOL_FULL = Cause("pool_full", "airflow pools list", part=Part.EXECUTIONS,
    text="the pool {workflow} is full {at}: {tasks} tasks of {waiting} wait for a slot")
DAG_PAUSED = Cause("dag_paused", "airflow dags unpause {workflow}", part=Part.DECISIONS, of_a_shadow=True,
    text="the DAG {workflow} is paused {at}")
CONFIG_BROKEN = Cause("config_broken", "python -m orchestration validate", part=Part.LOCKER, of_a_shadow=True,
    text="workflows.yaml is broken and not in force, the last good one is: {why}")
RULES_CHANGED = Cause(
    "rules_changed", trigger("schedule_locker", force=True), level=WARNING, part=Part.LOCKER, of_a_shadow=True,
    text="workflows.yaml was changed after the lock of {locked} ET: {workflow} was expected at {times} ET by other "
    "rules. Now: {rule} If that is meant, lock the day again")
SERVICE_DOWN = Cause("service_down", STATUS, part=Part.CALLS,
    text="the scraper service cannot be reached {at}: {why}")
SERVICE_NOT_SET_UP = SERVICE_DOWN.also(or_warning=True,
    text="the connection scraper_service does not exist, or contradicts itself: {calls}")
SERVICE_UNREACHABLE = SERVICE_DOWN.also(or_warning=True,
    text="the scraper service cannot be reached: {calls}")
ANSWERS_CUT = Cause("answers_cut", STATUS, or_warning=True, part=Part.CALLS,
    text="the scraper service breaks its answers off in the middle: {calls}")
UNKNOWN_SCRAPER = Cause("unknown_scraper", INIT, part=Part.CALLS,
    text="the scraper service does not know every scraper {at}; was it deployed anew? {why}")
UNKNOWN_SCRAPER_CALLED = UNKNOWN_SCRAPER.also(or_warning=True,
    text="the scraper service does not know a scraper; was it deployed anew? {calls}")
SOURCE_FAILING = Cause("source_failing", FAILURES, or_warning=True, part=Part.CALLS,
    text="the source {workflow} {fails}: {calls} ({error})")
SERVICE_SLOW = Cause("service_slow", STATUS, level=WARNING, part=Part.CALLS,
    text="the scraper service is slow: since {since} ET {slow} of {calls} calls took {share} or more of the time "
    "that they have")
SCHEDULE_FROZEN = Cause("schedule_frozen", REFRESH, part=Part.DECISIONS, of_a_shadow=True,
    text="the schedule's source is frozen: brought anew {refreshed} ET, it still says that none of the {games} games "
    "of {night} is over")
MISDATED_TIPS = Cause("misdated_tips", INIT, level=WARNING, part=Part.DECISIONS, of_a_shadow=True,
    text="{wrong} of {tips} tips of {day} do not lie on their game date, such as that of {game}: they are taken for "
    "unknown")
MISDATED_TIPS_CHECKED = MISDATED_TIPS.also(alerted_by=AlertedBy.CHECK_TABLES,
    text="{which}")
SOURCE_SILENT = Cause("source_silent", TIMELINE, level=WARNING, part=Part.CALLS,
    text="the source {source} is silent: {workflow} found nothing in {calls} calls and has brought nothing since "
    "{since} ET")
SOURCE_LATE = Cause("source_late", TIMELINE, level=WARNING, part=Part.BOX_SCORES,
    text="the source {workflow} is late: {scrapers} found none of the {games} games that are due")
TABLE_GONE = Cause("table_gone", STATUS, alerted_by=AlertedBy.HEALTH_ONLY, part=Part.HANDOFF,
    text="a table is gone at {at} ET: {why}")
CANNOT_PUBLISH = Cause("cannot_publish", STATUS, alerted_by=AlertedBy.HEALTH_ONLY, level=WARNING, part=Part.HANDOFF,
    text="Pub/Sub takes no messages: {why}")
PHASE2_SILENT = Cause("phase2_silent", STATUS, level=WARNING, part=Part.HANDOFF,
    text="Phase 2 reads no messages, or writes nothing: {missing} of {files} files are not in their tables at {at} "
    "ET, the oldest for {minutes} min")

# What explains no other finding, and is a cause of its own.

NOT_LOCKED = Minor("not_locked", "airflow dags list-runs schedule_locker", part=Part.LOCKER, of_a_shadow=True,
    text="the locker did not lock {day}; is the DAG schedule_locker paused?")
MOSTLY_NO_DATA = Minor("mostly_no_data", TIMELINE, part=Part.CALLS,
    text="{workflow} ({caller}): {empty} of {calls} calls found no data on a game day")
CLOCK_OFF = Minor("clock_off", STATUS, part=Part.DECISIONS, of_a_shadow=True,
    text="the clock of {about} is off {at}: {why}")
OUTBOX_UNWRITABLE = Minor("outbox_unwritable", STATUS, part=Part.DECISIONS, of_a_shadow=True,
    text="the outbox {at} {why}: rows go to BigQuery at once, and are lost if it does not take them")
HALT_FORGOTTEN = Minor("halt_forgotten", "python -m orchestration describe", part=Part.LOCKER, of_a_shadow=True,
    text="the halt of {what} ended with {until} and was forgotten: it runs again, and workflows.yaml still has the "
    "halt ({reason}). Remove it, or give it another end")

# What may follow from a cause.

SCHEDULE_UNKNOWN = FindingKind("schedule_unknown", REFRESH, part=Part.DECISIONS, of_a_shadow=True,
    text="the schedule is unknown: {why}")
UNUSABLE_ROWS = FindingKind("unusable_rows", REFRESH, level=WARNING, part=Part.DECISIONS,
    text="{rows} no game and left out: {which}")
TICKS_MISSING = ALL_TICKS_MISSING.also(command="airflow dags list --columns dag_id,is_paused", role=Role.EFFECT,
    text="{workflow}: {count} ticks without a decision, the first at {first} ET; is the DAG paused?")
EXPECTED_MISSED = FindingKind(
    "expected_missed", script("check_missing_executions", "{day}"), part=Part.DECISIONS, of_a_shadow=True,
    text="{workflow} was expected to run at {times} ET and did not: missed")
ABORT = FindingKind("abort", TIMELINE, part=Part.DECISIONS, of_a_shadow=True,
    text="ABORT: {workflow} at {at} ET{times}: {reason}")
ABORT_NOW = ABORT.also(alerted_by=AlertedBy.ABORT, alerts_key="failure", level=WARNING,
    text="ABORT: {reason}")
RUN_WITHOUT_EXECUTION = FindingKind(
    "run_without_execution", "airflow dags list-runs {workflow}", part=Part.EXECUTIONS,
    text="RUN without execution: {workflow} at {at} ET")
VETOED = FindingKind("vetoed", TIMELINE, level=WARNING, part=Part.EXECUTIONS,
    text="{workflow} at {at} ET {status}: {why}")
VETOED_NOW = VETOED.also(alerted_by=AlertedBy.FINISH,
    text="failed: {why}")
DEADLINE_MISSED = FindingKind(
    "deadline_missed", "airflow dags list-runs {workflow} --state running", alerted_by=AlertedBy.HEALTH_ONLY,
    part=Part.EXECUTIONS, of_a_shadow=True,
    text="{workflow} at {at} ET {status}: {why}")
DEADLINE_MISSED_NOW = DEADLINE_MISSED.also(
    command="airflow tasks states-for-dag-run {workflow} '{run_id}'", alerted_by=AlertedBy.DEADLINE,
    alerts_key="failure", level=WARNING,
    text="Deadline missed: the run of {at} ET is {late}")
EXECUTION_FAILED = FindingKind("execution_failed", FAILURES, alerts_key="failure", part=Part.EXECUTIONS,
    text="{workflow} at {at} ET {status}: {why}")
EXECUTION_FAILED_NOW = EXECUTION_FAILED.also(alerted_by=AlertedBy.FINISH,
    text="failed: {why}")
EXECUTION_PARTIAL = FindingKind("execution_partial", FAILURES, level=WARNING, part=Part.EXECUTIONS,
    text="{workflow} at {at} ET {status}: {why}")
GAMES_INCOMPLETE = FindingKind("games_incomplete", AGAIN, or_warning=True, part=Part.BOX_SCORES,
    text="{incomplete} of {games} games are incomplete; {game} lacks {scrapers}{again}")
GAMES_NOT_RECONCILED = GAMES_INCOMPLETE.also(alerted_by=AlertedBy.TELL_OPEN,
    text="reconcile could not get {scrapers} of {games}: {which}")
FILES_MISSING = FindingKind(
    "files_missing", STATUS, alerted_by=AlertedBy.HEALTH_ONLY, level=WARNING, part=Part.HANDOFF,
    text="{missing} of {files} files had not reached their table at {at} ET; {republished} republished then")
NO_CLEANUP = FindingKind(
    "no_cleanup", "airflow dags list-runs cleanup", alerted_by=AlertedBy.HEALTH_ONLY, level=WARNING,
    part=Part.CLEANUP, of_a_shadow=True,
    text="no cleanup {since}")
CLEANUP_BLIND = FindingKind(
    "cleanup_blind", STATUS, alerted_by=AlertedBy.HEALTH_ONLY, level=WARNING, part=Part.CLEANUP,
    text="the cleanup at {at} ET is {why}")
CLEANUP_SAYS = FindingKind(
    "cleanup_says", STATUS, alerted_by=AlertedBy.HEALTH_ONLY, level=WARNING, part=Part.CLEANUP, of_a_shadow=True,
    text="the cleanup at {at} ET says: {why}")

# The cleanup: files that are lost, and messages that are sent again.

UNREADABLE = Republishing("unreadable",
    text="{why}; nothing was checked or republished")
TABLE_UNREADABLE = UNREADABLE.also(
    text="{workflow}: {why}; none of its files was checked or republished")
AUDIT_UNREADABLE = UNREADABLE.also(alerted_by=AlertedBy.WATCH,
    text="the audit cannot be read: {why}")
LOG_UNREADABLE = Republishing("log_unreadable", level=WARNING,
    text="{log}: {why}; files and causes are known as far as answers name them")
ROW_UNREADABLE = Republishing("row_unreadable", level=WARNING,
    text="{table}: a row cannot be read and is left out: {row}: {why}")
BLIND = Republishing("blind", level=WARNING,
    text="blind: {unnamed} of {calls} calls that brought data name no file, so nobody sees whether it has arrived "
    "({scrapers}); {cure}")
STORM = Republishing("storm",
    text="storm: {missing} of {files} files are missing at once, more than {limit}; nothing is republished, since "
    "the tables are probably wrong, not the files")
STUCK = Republishing("stuck", level=WARNING, lasts=False,
    text="stuck: {file} is still missing after {times} republishings")
VANISHED = Republishing("vanished", command=trigger("reconcile"), level=WARNING,
    text="vanished: {file} no longer exists; reconcile fetches it anew")
FILES_UNKNOWN = Republishing("files_unknown",
    text="Cloud Storage does not say which files exist, so none is republished: {why}")
MANY_MISSING = Republishing("many_missing", level=WARNING,
    text="{missing} of {files} files were missing")
UNRECORDED = Republishing("unrecorded",
    text="nothing is republished, since it could not be recorded: {why}")
NOT_PUBLISHED = Republishing("not_published",
    text="{why}")

# The outbox.

NOT_DRAINED = Draining("not_drained",
    text="{why}; the next hour tries again")
ROWS_REFUSED = Draining("rows_refused",
    text="BigQuery refused {rows} row(s); they are set aside: {which}")

# The lock.

BROKEN_REFERENCES = FindingKind("broken_references", INIT, alerted_by=AlertedBy.CHECK_TABLES,
    text="Not as workflows.yaml and our statements have it: {which}")
PLAN_ABORTS = FindingKind("plan_aborts", script("plan", "{day}"), alerted_by=AlertedBy.LOCK,
    text="{runs} runs locked, but the plan of {day} aborts: {why}")

# Decisions that people should know: the kind is the rule, the text is the decision's reason.

MISSING_GAMES = Decided("missing_games", alerts_key="missing_games",
    example="2 of 9 games of 2026-01-14 to collect; 1 should have been here: LAL@BOS")
CATCH_UP = Decided("catch_up", alerts_key="timing_drift",
    example="Catch-up: 1.0 h after the window 06:00-10:00 ET and not done yet")
FOUND = Decided(FOUND_RULE, alerts_key="discovery_complete",
    example="Found for 2026-01-14 at 13:00 ET")
MAX_ATTEMPTS_REACHED = Decided(ATTEMPTS_USED_UP, alerts_key="max_attempts_reached",
    example="All 12 attempts for 2026-01-14 are used up, nothing was found")

# What tells that others are over.

HEALED = FindingKind("healed", "", alerted_by=AlertedBy.WATCH, or_warning=True,
    text="Right again: {what}")

# fmt: on
KINDS: tuple[FindingKind, ...] = tuple(one for one in vars().values() if isinstance(one, FindingKind))
"""All of them, a kind with several sentences once for each."""
RANK = {kind_id: rank for rank, kind_id in enumerate(dict.fromkeys(kind.id for kind in KINDS))}
"""The place of each id in the order above."""
OF_DECISIONS = {kind.id: kind for kind in KINDS if kind.alerted_by is AlertedBy.DECIDE}
"""What a decision alerts about, by its rule."""
