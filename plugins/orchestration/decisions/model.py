"""The input and the output of a decision. Plain values: no clock, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from orchestration.decisions.collected import Successes, successes_of
from orchestration.decisions.whole import PastAnswers, Usual, expected_game, usual_to_dict
from orchestration.nba.games import Game
from orchestration.nba.slate import SLATE_VANISHED
from orchestration.records.tables import CallRecord, DecisionRecord, ExecutionRecord
from orchestration.words import Action, AlertLevel, Priority

HISTORY_UNREADABLE = "history_unreadable"
"""The rule of an ABORT because BigQuery did not answer (lesson K8)."""
NOT_KNOWING = frozenset({HISTORY_UNREADABLE, "schedule_unknown", SLATE_VANISHED, "internal_error"})
"""Rules of an ABORT because a fact was unknown. If nothing was lost, the next decision ends the problem."""


@dataclass(frozen=True)
class History:
    """What happened before the tick, as far back as the rules look."""

    executions: tuple[ExecutionRecord, ...] = ()
    calls: tuple[CallRecord, ...] = ()
    decisions: tuple[DecisionRecord, ...] = ()
    answers: tuple[PastAnswers, ...] = ()
    """Earlier answers, from which the usual number of records is learned."""

    def of(self, workflow: str, target_date: date | None = None) -> list[ExecutionRecord]:
        """Return the executions of ``workflow``, oldest first; with ``target_date`` only those about that date."""
        found = (e for e in self.executions if e.workflow_name == workflow and target_date in (None, e.target_date))
        return sorted(found, key=lambda execution: execution.slot_time)

    def answered_by(self, workflow: str, rule: str, target_date: date) -> bool:
        """Return whether ``rule`` has already answered for ``workflow`` and ``target_date``."""
        return any(
            d.workflow_name == workflow and d.rule == rule and d.target_date == target_date for d in self.decisions
        )

    @cached_property
    def successes(self) -> Successes:
        """When each scraper last succeeded, by game and by date."""
        return successes_of(self.calls)

    def asked_since(self, scrapers: Iterable[str], game: Game, moment: datetime) -> bool:
        """Return whether one of ``scrapers`` was called for the game, or for its date, at or after ``moment``."""
        wanted = frozenset(scrapers)
        return any(
            call.scraper_name in wanted
            and call.slot_time >= moment
            and (call.game_id == game.game_id or (call.game_id is None and call.target_date == game.date))
            for call in self.calls
        )

    def plus(
        self,
        executions: Iterable[ExecutionRecord] = (),
        calls: Iterable[CallRecord] = (),
        decisions: Iterable[DecisionRecord] = (),
    ) -> History:
        """Return this history with these records added."""
        new = tuple(calls)
        more = History(
            (*self.executions, *executions), (*self.calls, *new), (*self.decisions, *decisions), self.answers
        )
        # Fill the cache from ours: a plan adds records at every tick, and reading all calls again takes too long.
        more.__dict__["successes"] = successes_of(new, self.successes) if new else self.successes
        return more


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a check. ``next_at``: when the answer may change; the engine moves it to the next tick."""

    action: Action
    rule: str
    reason: str
    alert: AlertLevel = AlertLevel.NONE
    next_at: datetime | None = None
    games: tuple[Game, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """RUN, SKIP or ABORT for one workflow at one tick, with everything that the execution needs."""

    workflow: str
    tick: datetime
    action: Action
    rule: str
    reason: str
    alert_level: AlertLevel
    priority: Priority
    next_check_time: datetime
    target_date: date
    games: tuple[Game, ...]
    scrapers: tuple[str, ...]
    context: Mapping[str, Any]
    collected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The target games that each per-game scraper has returned already, by scraper: it is not called for these."""
    slate: tuple[Game, ...] = ()
    """The games that a whole-date answer should hold: all of the target date, after the games those that are due."""
    usual: Mapping[str, Usual] = field(default_factory=dict)
    """What each scraper usually returns, where enough answers are on record and it does not say what it expects."""

    @property
    def as_past(self) -> DecisionRecord:
        """The record of this decision that later decisions read."""
        return DecisionRecord.known(
            workflow_name=self.workflow,
            action=self.action,
            slot_time=self.tick,
            rule=self.rule,
            target_date=self.target_date,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that travels from ``decide`` to the calls (lessons E4, T9)."""
        return {
            "workflow": self.workflow,
            "tick": self.tick.isoformat(),
            "action": self.action.value,
            "rule": self.rule,
            "reason": self.reason,
            "alert_level": self.alert_level.value,
            "priority": self.priority.value,
            "next_check_time": self.next_check_time.isoformat(),
            "target_date": self.target_date.isoformat(),
            "target_games": [game.to_dict() for game in self.games],
            "scrapers": list(self.scrapers),
            "context": dict(self.context),
            "collected": {scraper: list(ids) for scraper, ids in self.collected.items()},
            "slate": [expected_game(game) for game in self.slate],
            "usual": {scraper: usual_to_dict(usual) for scraper, usual in self.usual.items()},
        }
