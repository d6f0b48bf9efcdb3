"""The big faults that the demo and the tests can seed: what breaks, and from when to when of the day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sandbox.world import ET


@dataclass(frozen=True)
class Fault:
    """A fault of the day, from the ET hour ``start`` until ``end``; hours from 24 on are the next day's.

    ``world``: what goes wrong in the world, as :class:`sandbox.world.Troubles` has it. ``unplayed``: DAGs that do not
    run, or all of them. ``bigquery``: whether BigQuery is down.
    """

    says: str
    start: int = 0
    end: int = 48
    world: Mapping[str, Any] = field(default_factory=dict)
    unplayed: tuple[str, ...] | None = ()
    bigquery: bool = False

    def holds(self, day: date, moment: datetime) -> bool:
        """Return whether it is in force at an aware moment of the day ``day``."""
        midnight = datetime.combine(day, time(), tzinfo=ET)
        return midnight + timedelta(hours=self.start) <= moment < midnight + timedelta(hours=self.end)

    def plays(self, day: date, moment: datetime, dag_id: str) -> bool:
        """Return whether a DAG runs at that moment."""
        return not self.holds(day, moment) or (self.unplayed is not None and dag_id not in self.unplayed)


FAULTS: dict[str, Fault] = {
    "locker_off": Fault("nobody locks the day", unplayed=("schedule_locker",)),
    "scheduler_down": Fault("the scheduler is down from 14:00 to 17:00", 14, 17, unplayed=None),
    "service_down": Fault("the scraper service is down from 20:00 on", 20, world={"down": True}),
    "source_blocked": Fault(
        "NBA.com blocks its box score scrapers from 20:00 on",
        20,
        world={"blocked": ["nbac_team_boxscore", "nbac_player_boxscore", "nbac_play_by_play", "nbac_gamebook_pdf"]},
    ),
    "props_empty": Fault("the source of player props publishes nothing", world={"empty": ["oddsa_player_props"]}),
    "phase2_dead": Fault("Phase 2 reads no messages from 17:00 on", 17, world={"phase2_dead": True}),
    "topic_gone": Fault("somebody deletes the Pub/Sub topic at 17:00", 17, world={"topic_gone": True}),
    "bigquery_down": Fault("BigQuery is down from 15:00 to 17:00", 15, 17, bigquery=True),
}
