"""The kinds that only a task raises, after those of :mod:`orchestration.health.kinds` in the rank. Pure."""

from __future__ import annotations

from functools import partial

from orchestration.decisions.types.discovery import ATTEMPTS_USED_UP
from orchestration.decisions.types.discovery import FOUND as FOUND_RULE
from orchestration.health.commands import INIT, STATUS_NOW, TIMELINE
from orchestration.health.findings import AlertedBy, FindingKind, script, trigger
from orchestration.words import AlertLevel

WARNING = AlertLevel.WARNING
Republishing = partial(FindingKind, command=STATUS_NOW, alerted_by=AlertedBy.REPUBLISH)
BIGQUERY = "bigquery_down all"
Draining = partial(FindingKind, command=STATUS_NOW, alerted_by=AlertedBy.DRAIN_OUTBOX)
Decided = partial(FindingKind, text="{reason}", command=TIMELINE, alerted_by=AlertedBy.DECIDE, level=AlertLevel.NONE)

# fmt: off
# The cleanup, about lost files and their republished messages.
UNREADABLE = Republishing("unreadable",
    text="The cleanup cannot look for lost files: {why}. The next cleanup looks again, so no file is forgotten")
TABLE_UNREADABLE = UNREADABLE.also(
    text="The cleanup cannot look for lost files of {workflow}: {why}. It looks again each hour")
AUDIT_UNREADABLE = UNREADABLE.also(alerted_by=AlertedBy.WATCH, cause=BIGQUERY,
    text="No new fault is noticed, because the watchdog cannot read the audit tables: {why}. It looks again each "
    "hour")
LOG_UNREADABLE = Republishing("log_unreadable", level=WARNING,
    text="The service's log {log} cannot be read: {why}. Files and causes that only the log names stay unknown")
ROW_UNREADABLE = Republishing("row_unreadable", level=WARNING,
    text="The row {row} of {table} cannot be read and is left out: {why}")
BLIND = Republishing("blind", level=WARNING,
    text="{unnamed} of {calls} calls with data name no file, so a lost file would not be noticed. Scrapers: "
    "{scrapers}. {cure}")
STORM = Republishing("storm", lasts=False,
    text="{missing} of {files} files are missing at once, more than {limit}. Nothing is republished, because the "
    "tables are probably wrong. Check whether somebody emptied a table of Phase 2")
STUCK = Republishing("stuck", level=WARNING, lasts=False,
    text="A file of {workflow} never reached its table, although its message was sent {times} times more. It is not "
    "sent again. Check why Phase 2 refuses {file}")
GIVEN_UP = Republishing("files_given_up", command=trigger("reconcile"), level=WARNING, lasts=False,
    text="{files} did not arrive in {days} days and are given up. Their data stays missing unless reconcile fetches it "
    "again: {which}")
VANISHED = Republishing("vanished", command=trigger("reconcile"), level=WARNING, lasts=False,
    text="A lost file of {workflow} no longer exists. reconcile fetches its data again: {file}")
FILES_UNKNOWN = Republishing("files_unknown",
    text="No lost file is republished, because Cloud Storage does not say which files exist: {why}. The next cleanup "
    "tries again")
MANY_MISSING = Republishing("many_missing", level=WARNING, cause="phase2_silent phase2",
    text="{missing} of {files} files had not reached their tables of Phase 2. The cleanup sends their messages again. "
    "Check whether Phase 2 is slow")
UNRECORDED = Republishing("unrecorded", cause=BIGQUERY,
    text="No lost file is republished, because BigQuery could not record it first: {why}. The next cleanup tries "
    "again")
NOT_PUBLISHED = Republishing("not_published", cause="cannot_publish cleanup",
    text="{messages}",
    example="3 messages were not published: NotFound: 404 Resource not found (resource=nba-phase1-scrapers-complete)")

# The outbox.
NOT_DRAINED = Draining("not_drained", cause=BIGQUERY,
    text="BigQuery does not take all rows of the outbox: {why}. None is lost; the next cleanup sends them again")
ROWS_REFUSED = Draining("rows_refused",
    text="BigQuery refused {rows}. The outbox keeps the refused rows with their errors: {which}")

# The lock.
BROKEN_REFERENCES = FindingKind("broken_references", INIT, alerted_by=AlertedBy.CHECK_TABLES,
    text="workflows.yaml or our SQL names something that does not exist. What uses it will fail: {which}")
PLAN_ABORTS = FindingKind("plan_aborts", script("plan", "{day}"), alerted_by=AlertedBy.LOCK,
    text="The plan of {day} contains an ABORT, and only {runs} are locked: {why}")

PLAN_EMPTY = FindingKind("plan_empty", script("plan", "{day}"), alerted_by=AlertedBy.LOCK,
    text="The plan of {day} expects no run, although the schedule has {games}. Check whether the workflows are enabled")

# Decisions that people should know of. The kind's id is the rule, and the text is the decision's reason.
MISSING_GAMES = Decided("missing_games", alerts_key="missing_games",
    example="2 of 9 games of 2026-01-14 to collect; 1 overdue: 0022500001 LAL@BOS")
CATCH_UP = Decided("catch_up", alerts_key="timing_drift",
    example="Catch-up: 1.0 h after the window 06:00-10:00 ET and not done yet")
FOUND = Decided(FOUND_RULE, alerts_key="discovery_complete",
    example="Found for 2026-01-14 at 13:00 ET")
MAX_ATTEMPTS_REACHED = Decided(ATTEMPTS_USED_UP, alerts_key="max_attempts_reached",
    example="All 9 attempts for 2026-01-14 are used up; nothing was found")

# A person asked for a message.
TEST = FindingKind("channel_test", "python -m orchestration health", alerted_by=AlertedBy.PERSON, level=WARNING,
    text="Alerts reach the channel {channel}. This is a test")

# The all-clear.
HEALED = FindingKind("healed", STATUS_NOW, alerted_by=AlertedBy.WATCH, or_warning=True,
    text="Over: {what}")

# fmt: on
TASK_KINDS: tuple[FindingKind, ...] = tuple(one for one in vars().values() if isinstance(one, FindingKind))
OF_DECISIONS = {kind.id: kind for kind in TASK_KINDS if kind.alerted_by is AlertedBy.DECIDE}
"""The kinds that a decision alerts about, by the decision's rule."""
