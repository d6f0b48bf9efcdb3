"""The bill of BigQuery for a day: the statements that run, the tables they read, the rows that are streamed.

The cost page (``make docs``) and ``diff`` show the bill. Prices are list prices, US, November 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from orchestration.audit.statements import SQL_FOLDER, ddl
from orchestration.config import Config
from orchestration.health.findings import MORNING
from orchestration.vocabulary.settings import Settings

LEAST_MB = 10
"""BigQuery bills at least this much for each table of a query. None of our queries reads more."""
DOLLARS_A_TIB, DOLLARS_A_STREAMED_GB = 6.25, 0.05
"""On-demand queries, and streaming inserts."""
ROW_BYTES = 1024
"""The least size at which BigQuery bills a streamed row."""
PAGE_HOUR, PAGE_OTHERS = 60, 12
"""Queries while a page of the day is open for an hour: its day each minute, and every 5 minutes the plan or neighbour.

Further readers of the page cost nothing more.
"""


@dataclass(frozen=True)
class Asked:
    """A statement, how often it runs a day, and the tables that it reads."""

    name: str
    a_day: float
    tables: tuple[str, ...]

    @property
    def gb(self) -> float:
        """Return the GB billed a day."""
        return self.a_day * len(self.tables) * LEAST_MB / 1000


@dataclass(frozen=True)
class Bill:
    """The cost of a day: the statements that run and the rows that are written."""

    asked: tuple[Asked, ...]
    rows: float

    @property
    def gb(self) -> float:
        """Return the GB billed for a day's queries."""
        return sum(question.gb for question in self.asked)

    @property
    def queries(self) -> float:
        """Return the price of a day's queries in dollars."""
        return self.gb / 1024 * DOLLARS_A_TIB

    @property
    def streamed(self) -> float:
        """Return the price of a day's streamed rows in dollars."""
        return self.rows * ROW_BYTES / 1e9 * DOLLARS_A_STREAMED_GB

    @property
    def dollars(self) -> float:
        """Return the price of a day in dollars."""
        return self.queries + self.streamed


def bill(config: Config, executions: float, calls: float, expected: float) -> Bill:
    """Return the bill of a day with these numbers of executions, calls and expected runs."""
    questions = asked(config, executions)
    cleanups = len(config.cleanup_ticks.times)
    return Bill(questions, _decisions(config) + executions + calls + cleanups + expected)


def tables_of(text: str, settings: Settings) -> tuple[str, ...]:
    """Return the tables that a statement reads, directly or through our views and functions."""
    made = ddl("views") | ddl("functions") | ddl("reports")
    found: set[str] = set()
    body = re.sub(r"CREATE OR REPLACE [A-Z ]*\{audit\}", "", text)
    for name in re.findall(r"\{audit\}\.(\w+)", body):
        found |= set(tables_of(made[name], settings)) if name in made else {f"{settings.audit_dataset}.{name}"}
    if "{schedule_table}" in body:
        found.add(settings.schedule_table)
    return tuple(sorted(found))


def _decisions(config: Config) -> int:
    return sum(len(config.ticks_of(name).times) for name in config.enabled)


def asked(config: Config, executions: float) -> tuple[Asked, ...]:
    """Return the statements that run on a day with this number of executions."""
    cleanups = len(config.cleanup_ticks.times)
    read = {
        path.stem: tables_of(path.read_text(encoding="utf-8"), config.settings)
        for path in (SQL_FOLDER / "queries").glob("*.sql")
    }
    inputs, facts = read["decision_inputs"], read["day_facts"]
    processed = sorted({s.processed_in for s in config.scrapers.values() if s.traceable and s.processed_in})
    of_games = tuple(sorted({s.processed_in for s in config.scrapers.values() if s.game_column and s.processed_in}))
    log = (config.settings.service_log,) if config.settings.service_log else ()
    lock = datetime.combine(date(2026, 1, 14), config.settings.daily_schedule_lock.generation_time)
    moments = (datetime.combine(lock.date(), wall) for wall in config.cleanup_ticks.times)
    mornings = sum(lock <= moment < lock + MORNING for moment in moments)
    looks = cleanups + 2 * mornings + cleanups + 1 + 5 + PAGE_HOUR + PAGE_OTHERS
    return (
        Asked("decision_inputs (decide)", _decisions(config), inputs),
        Asked("decision_inputs (lock)", 1, inputs),
        Asked("service_log (finish)", executions, log),
        Asked("service_log (tell_tables)", executions, log),
        Asked("service_log (cleanup)", cleanups, log),
        Asked("recent_calls", cleanups, read["recent_calls"]),
        Asked("recent_executions", cleanups, read["recent_executions"]),
        Asked("recorded_ticks (cleanup)", cleanups, read["recorded_ticks"]),
        Asked("followed_files", cleanups, read["followed_files"]),
        Asked("second_runs (cleanup)", cleanups if log else 0, (*read["second_runs"], *log)),
        Asked("republished_before", cleanups, read["republished_before"]),
        Asked("processed_files (all tables in one)", cleanups, tuple(processed)),
        Asked("day_facts (watch: the day, in the morning two more)", cleanups + 2 * mornings, facts),
        Asked("day_facts (tell_slates: the day, and the one before until its slate is complete)", cleanups + 1, facts),
        Asked("processed_files (tell_slates: the slate)", 1, tuple(processed)),
        Asked("day_facts (health check, by hand)", 5, facts),
        Asked("day_facts (the page of the day, open for an hour)", PAGE_HOUR + PAGE_OTHERS, facts),
        Asked("decision_inputs (its plan)", PAGE_OTHERS, inputs),
        Asked("games_in_tables (with each day_facts, all tables in one)", looks, of_games),
    )
