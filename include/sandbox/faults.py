"""The big faults that the demo and the tests can seed: what breaks, and when in the day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import yaml

from sandbox.world import ET

BOX_SCORES = ("nbac_team_boxscore", "nbac_player_boxscore", "nbac_play_by_play", "nbac_gamebook_pdf")
SLOW_SECONDS = 7.2
"""90 % of the timeout of the demo's connection."""
HIDDEN_DAYS = 1000
SCHEDULE = "nba_raw.nbac_schedule"
TABLES = {"game_date": SCHEDULE, "date": "nba_orchestration.daily_expected_schedule"}
DAY_BEFORE = "the day before"
BROKEN = "workflows: [this is no workflow]\n"


@dataclass(frozen=True)
class Fault:
    """A fault of the day, from the ET hour ``start`` until ``end``. Hours from 24 on belong to the next day.

    * ``text``: the fault in words.
    * ``world``: the fields of :class:`sandbox.world.Troubles` while the fault holds.
    * ``unplayed``: DAGs that do not run. None means that no DAG runs.
    * ``bigquery``: whether BigQuery is down.
    * ``refuses``: the faults of :mod:`sandbox.bigquery_faults`.
    * ``dropped``: a table that is dropped.
    * ``statement``, ``undone_by``: a statement that changes rows, at each moment, and the one that changes them back.
      ``{day}`` is the day, ``{begins}`` the begin of the fault, ``{now}`` the moment.
    * ``deployed``: the new workflows.yaml, as text or as changed keys (``a.b.c``).
    * ``paused``: a DAG that is paused.
    * ``pool``: a pool without a free slot.
    * ``dead``: an Airflow component that does not run.
    """

    text: str
    start: float = 0
    end: float = 48
    world: Mapping[str, Any] = field(default_factory=dict)
    unplayed: tuple[str, ...] | None = ()
    bigquery: bool = False
    refuses: Mapping[str, Any] = field(default_factory=dict)
    dropped: str = ""
    statement: str = ""
    undone_by: str = ""
    deployed: str | Mapping[str, Any] = ""
    paused: str = ""
    pool: str = ""
    dead: str = ""

    @property
    def stands_still(self) -> bool:
        """Whether the fault keeps runs from ending."""
        return bool(self.pool or self.dead)

    def file(self, day: date, ours: str) -> str:
        """Return the workflows.yaml that is deployed on ``day``. ``ours`` is the file before that."""
        if isinstance(self.deployed, str):
            return self.deployed or ours
        data = yaml.safe_load(ours)
        before = (day - timedelta(days=1)).isoformat()
        for path, value in self.deployed.items():
            *parents, key = path.split(".")
            here = data
            for parent in parents:
                here = here[parent]
            here[key] = (
                {k: before if v == DAY_BEFORE else v for k, v in value.items()} if isinstance(value, dict) else value
            )
        return str(yaml.safe_dump(data))

    def sql(self, day: date, moment: datetime) -> str:
        """Return the statement that is played on ``day`` at an aware moment, or an empty text."""
        begins, now = (f"TIMESTAMP '{at.isoformat()}'" for at in (self.begins(day), moment))
        return (self.statement if self.holds(day, moment) else self.undone_by).format(day=day, begins=begins, now=now)

    def begins(self, day: date) -> datetime:
        """Return the moment at which the fault of ``day`` begins, ET."""
        return datetime.combine(day, time(), tzinfo=ET) + timedelta(hours=self.start)

    def holds(self, day: date, moment: datetime) -> bool:
        """Return whether the fault of ``day`` holds at an aware moment."""
        midnight = datetime.combine(day, time(), tzinfo=ET)
        return self.begins(day) <= moment < midnight + timedelta(hours=self.end)

    def plays(self, day: date, moment: datetime, dag_id: str) -> bool:
        """Return whether a DAG still runs at an aware moment of ``day``."""
        return not self.holds(day, moment) or (
            self.unplayed is not None and dag_id not in (*self.unplayed, self.paused)
        )


def _without(text: str, start: float, column: str, condition: str = "TRUE", end: float = 48) -> Fault:
    """Return the fault that rows of the day are missing. They are hidden in another year, and brought back."""
    table, away = TABLES[column], f"DATE_SUB(DATE '{{day}}', INTERVAL {HIDDEN_DAYS} DAY)"
    return Fault(
        text,
        start,
        end,
        statement=f"UPDATE {table} SET {column} = {away} WHERE {column} = DATE '{{day}}' AND {condition}",
        undone_by=f"UPDATE {table} SET {column} = DATE '{{day}}' WHERE {column} = {away}",
    )


FAULTS: dict[str, Fault] = {
    "locker_off": Fault("schedule_locker does not run", 5, unplayed=("schedule_locker",)),
    "scheduler_down": Fault("the scheduler is down from 14:00 to 17:00", 14, 17, unplayed=None),
    "service_down": Fault("the scraper service is down from 20:00 on", 20, world={"down": True}),
    "source_blocked": Fault(
        "NBA.com blocks its box score scrapers from 22:00 on", 22, world={"blocked": [*BOX_SCORES]}
    ),
    "props_empty": Fault("the source of player props publishes nothing", 13, world={"empty": ["oddsa_player_props"]}),
    "props_halved": Fault(
        "the answers about player props hold half of their records", 14.5, world={"halved": ["oddsa_player_props"]}
    ),
    "box_scores_halved": Fault(
        "the player box scores hold half of the players", 24.5, world={"halved": ["nbac_player_boxscore"]}
    ),
    "box_scores_short": Fault(
        "a service that lists the games of its answers leaves out one game of the player box scores",
        24.5,
        world={"short": ["nbac_player_boxscore"], "lists_games": True},
        deployed={
            "scrapers.nbac_player_boxscore.answer": {"games": "game_ids"},
            "scrapers.nbac_player_boxscore.expects": {"games": "all"},
        },
    ),
    "props_dry": Fault("the source of player props dries up at 14:30", 14.5, world={"empty": ["oddsa_player_props"]}),
    "props_half": Fault(
        "half of the games have no player props from 14:30 on", 14.5, world={"half_empty": ["oddsa_player_props"]}
    ),
    "rosters_empty": Fault("all 30 rosters are empty", 5, world={"empty": ["br_season_roster"]}),
    "no_injury_report": Fault("the injury report never appears", 5, world={"empty": ["nbac_injury_report"]}),
    "phase2_dead": Fault("Phase 2 reads no messages from 17:00 on", 17, world={"phase2_dead": True}),
    "topic_gone": Fault("somebody deletes the Pub/Sub topic at 17:00", 17, world={"topic_gone": True}),
    "bigquery_down": Fault("BigQuery is down from 15:00 to 17:00", 15, 17, bigquery=True),
    "service_slow": Fault(
        "the scraper service needs 90 % of its timeout from 13:00 on", 13, world={"slow": SLOW_SECONDS}
    ),
    "scraper_slow": Fault(
        "player props need 90 % of their timeout from 13:00 on",
        13,
        world={"slow": SLOW_SECONDS, "slow_only": ["oddsa_player_props"]},
    ),
    "answers_cut": Fault("the answers of the scraper service break off from 13:00 on", 13, world={"cut": True}),
    "source_silent": Fault(
        "The Odds API has published no props and no lines for two days, and publishes none on the third",
        13,
        world={"empty": ["oddsa_player_props", "oddsa_game_lines"]},
    ),
    "box_scores_late": Fault("box scores come at noon of the next day", 25, 36, world={"late_until": 12}),
    "unknown_scraper": Fault(
        "the service is deployed at 12:30 without oddsa_events", 12.5, world={"unknown": ["oddsa_events"]}
    ),
    "config_broken": Fault("a broken workflows.yaml is deployed at 14:30", 14.5, deployed=BROKEN),
    "config_changed": Fault(
        "a workflows.yaml with a moved window is deployed at 14:30",
        14.5,
        deployed={"workflows.post_game_window_1.schedule.fixed_time": "15:00"},
    ),
    "window_disabled": Fault(
        "a workflows.yaml without the window at 22:00 is deployed at 14:30",
        14.5,
        deployed={"workflows.post_game_window_1.enabled": False},
    ),
    "parameters_changed": Fault(
        "a workflows.yaml with another sport for player props is deployed at 14:30",
        14.5,
        deployed={"scrapers.oddsa_player_props.parameters.sport": "basketball_wnba"},
    ),
    "dag_paused": Fault("somebody pauses betting_lines at 14:30", 14.5, paused="betting_lines"),
    "halt_forgotten": Fault(
        "the halt of betting_lines ended the day before, but is still in workflows.yaml",
        0,
        deployed={"workflows.betting_lines.halt": {"reason": "the key is out of credit", "until": DAY_BEFORE}},
    ),
    "clock_off": Fault("the worker's clock is ten minutes ahead from 14:00 on", 14, refuses={"clock": -600}),
    "bigquery_forbidden": Fault(
        "BigQuery's permission is lost from 15:00 to 17:00", 15, 17, refuses={"forbidden": True}
    ),
    "bigquery_quota": Fault("BigQuery's quota is used up from 15:00 to 17:00", 15, 17, refuses={"quota": True}),
    "streaming_refused": Fault(
        "BigQuery refuses rows for workflow_decisions from 15:00 on", 15, refuses={"refused": "workflow_decisions"}
    ),
    "table_dropped": Fault(
        "somebody drops the table of player props at 15:00", 15, dropped="nba_raw.odds_api_player_points_props"
    ),
    "record_emptied": Fault(
        "somebody empties the table of decisions at 14:00",
        14,
        statement="DELETE FROM nba_orchestration.workflow_decisions WHERE decision_time < {begins}",
    ),
    "second_copy": Fault(
        "a second Airflow starts at 14:00 with the same DAGs and the same dataset",
        14,
        statement="INSERT INTO nba_orchestration.workflow_decisions "
        "SELECT * REPLACE (TIMESTAMP_ADD(created_at, INTERVAL 7 SECOND) AS created_at) "
        "FROM nba_orchestration.workflow_decisions "
        "WHERE decision_time >= {begins} AND decision_time >= TIMESTAMP_SUB({now}, INTERVAL 30 MINUTE)",
    ),
    "outbox_stranded": Fault(
        "a second worker keeps its rows in an outbox of its own from 13:00 on",
        13,
        statement="DELETE FROM nba_orchestration.scraper_execution_log "
        "WHERE triggered_at >= {begins} AND scraper_name = 'oddsa_game_lines'",
    ),
    "phase2_writes_nothing": Fault(
        "Phase 2 reads its messages and writes nothing from 17:00 on", 17, world={"writes_nothing": True}
    ),
    "phase2_pauses": Fault(
        "Phase 2 reads its messages and writes nothing from 15:00 to 21:30", 15, 21.5, world={"writes_nothing": True}
    ),
    "game_ids_wrong": Fault(
        "Phase 2 writes the team box scores with wrong game ids, seen from 03:30 on",
        27.5,
        statement="UPDATE nba_raw.nbac_team_boxscore SET game_id = CONCAT('X', game_id) "
        "WHERE game_date = DATE '{day}' AND NOT STARTS_WITH(game_id, 'X')",
        undone_by="UPDATE nba_raw.nbac_team_boxscore SET game_id = SUBSTR(game_id, 2) "
        "WHERE game_date = DATE '{day}' AND STARTS_WITH(game_id, 'X')",
    ),
    "messages_twice": Fault("each Pub/Sub message arrives twice", world={"twice": True}),
    "schedule_frozen": Fault("the source of the schedule serves data from two days ago", 4.5, world={"frozen_days": 2}),
    "tips_moved": Fault("all tips of the schedule are one day late", 4.5, world={"tips_moved": 1}),
    "slate_deleted": _without("somebody deletes the day's games from the schedule at 12:10", 12 + 1 / 6, "game_date"),
    "two_games_deleted": _without(
        "somebody deletes two of the day's games from the schedule at 12:10",
        12 + 1 / 6,
        "game_date",
        "home_team_tricode IN ('SAS', 'ATL')",
    ),
    "deleted_before_lock": _without(
        "the day's games are missing in the schedule from 04:30 on, before the lock", 4.5, "game_date", end=5.9
    ),
    "slate_postponed": Fault(
        "the schedule says at 12:10 that all games of the day are postponed",
        12 + 1 / 6,
        statement=f"UPDATE {SCHEDULE} SET game_status_text = 'PPD' WHERE game_date = DATE '{{day}}'",
        undone_by=f"UPDATE {SCHEDULE} SET game_status_text = '' WHERE game_date = DATE '{{day}}'",
    ),
    "partly_locked": _without(
        "at 09:00 the lock of the day loses its rows, but for those of betting_lines",
        9,
        "date",
        "workflow_name != 'betting_lines'",
    ),
    "lock_deleted": _without("at 09:00 the lock of the day loses all its rows", 9, "date"),
    "triggerer_dead": Fault("Airflow's triggerer is dead from 14:30 on", 14.5, dead="triggerer"),
    "pool_full": Fault("the pool odds_api has no free slot from 15:00 on", 15, pool="odds_api"),
}
