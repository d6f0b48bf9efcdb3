"""``game_aware_early``: a post-game window on the same day, for games that tip early (lesson T10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import ClassVar, Literal

from pydantic import Field

from orchestration.decisions.case import (
    Case,
    Check,
    no_games,
    only_unusable_rows,
    schedule_unknown,
    skip,
    slate_vanished,
)
from orchestration.decisions.model import Answer
from orchestration.decisions.types.game_aware_yesterday import (
    AfterGamesWorkflow,
    all_collected,
    asks_from,
    before_fixed_time,
    missing_games,
    nothing_to_ask_for,
    outside_fixed_time,
    waiting_for_required,
)
from orchestration.nba.eastern import after, at, clock
from orchestration.nba.games import Game
from orchestration.vocabulary.base import WallTime
from orchestration.vocabulary.settings import Settings
from orchestration.vocabulary.workflows import Hour, PositiveHours, Window, WorkflowSchedule
from orchestration.words import TargetDate


class EarlyGameSchedule(WorkflowSchedule):
    """Run on the same day, for games that tip early (lesson T10)."""

    game_aware: Literal[True] = True
    """Descriptive: the decision type says it."""
    target_date: TargetDate = TargetDate.SLATE
    fixed_time: WallTime | None = None
    tolerance_minutes: int = Field(default=30, ge=0, le=180)
    early_game_cutoff_hour: Hour = 17
    collection_delay_hours: PositiveHours = 3


def _early(case: Case) -> Case:
    """Return the case with only the games that tip before the cut-off hour (lesson T10)."""
    assert isinstance(case.workflow, EarlyGameWorkflow)
    cutoff = case.workflow.schedule.early_game_cutoff_hour
    before = at(case.target_date + timedelta(days=cutoff // 24), time(cutoff % 24))
    early = tuple(game for game in case.games if game.tip is not None and game.tip < before)
    return replace(case, schedule=replace(case.schedule, games=early))


def no_early_games(case: Case) -> Answer | None:
    """SKIP when no game of the date tips early."""
    assert isinstance(case.workflow, EarlyGameWorkflow)
    if _early(case).games:
        return None
    cutoff = case.workflow.schedule.early_game_cutoff_hour
    return skip("no_games", f"No game on {case.target_date} tips before {cutoff:02d}:00 ET", games=len(case.games))


def early_games_collected(case: Case) -> Answer | None:
    """SKIP when all early games are collected."""
    return all_collected(_early(case))


def none_ready(case: Case) -> Answer | None:
    """SKIP while every missing early game tipped less than ``collection_delay_hours`` ago."""
    assert isinstance(case.workflow, EarlyGameWorkflow)
    narrowed, delay = _early(case), case.workflow.schedule.collection_delay_hours
    ready_at = [asks_from(case, game) for game in narrowed.games if not narrowed.collected(game)]
    if min(ready_at) <= case.tick:
        return None
    reason = f"The next early game is due {delay:g} h after its tip, at {clock(min(ready_at))} ET"
    return skip("not_due", reason, min(ready_at), collection_delay_hours=delay, missing=len(ready_at))


def no_early_game_to_ask_for(case: Case) -> Answer | None:
    """SKIP when the window has run and no missing early game is due."""
    return nothing_to_ask_for(_early(case))


def early_missing_games(case: Case) -> Answer | None:
    """RUN for the early games that are due and not collected."""
    return missing_games(_early(case))


class EarlyGameWorkflow(AfterGamesWorkflow):
    """Runs after the games that tip early, on the same day."""

    checks: ClassVar[tuple[Check, ...]] = (
        schedule_unknown,
        only_unusable_rows,
        slate_vanished,
        no_games,
        no_early_games,
        outside_fixed_time,
        early_games_collected,
        before_fixed_time,
        none_ready,
        no_early_game_to_ask_for,
        waiting_for_required,
        early_missing_games,
    )

    decision_type: Literal["game_aware_early"]
    schedule: EarlyGameSchedule = EarlyGameSchedule()

    @property
    def fixed_time(self) -> Window | None:
        """The fixed ET time and its tolerance, or None."""
        s = self.schedule
        return None if s.fixed_time is None else (s.fixed_time, timedelta(minutes=s.tolerance_minutes))

    def asks_from(self, game: Game) -> datetime:
        """Return the moment from which a game is requested: ``collection_delay_hours`` after its tip."""
        return after(game.begins, timedelta(hours=self.schedule.collection_delay_hours))

    def in_words(self, settings: Settings) -> str:
        """Return the rule in one sentence."""
        s = self.schedule
        at = f" at {s.fixed_time:%H:%M} ET (± {s.tolerance_minutes} min)" if s.fixed_time else ""
        return (
            f"It runs{at} for games {self.whose} that tip before {s.early_game_cutoff_hour:02d}:00 ET, from "
            f"{s.collection_delay_hours:g} h after their tip until they are collected."
        )
