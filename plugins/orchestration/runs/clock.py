"""The tick and the clock of a DAG run.

The tick of a scheduled run is its logical date. A run with ``as_of`` replays another moment: its clock shows that
moment when the run starts. The tick of a manual run is the moment at which it was triggered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from orchestration.nba.eastern import et, require_aware
from orchestration.words import Source

if TYPE_CHECKING:
    from airflow.sdk import Context

RECONCILE = "reconcile__"
"""The start of the ids of runs that the DAG ``reconcile`` triggers."""


@dataclass(frozen=True)
class RunClock:
    """The tick (ET), the shift of the run's clock against the wall clock, and who started the run.

    ``started`` is the start of the run by its own clock, or the planned start if the run has not started.
    """

    tick: datetime
    shift: timedelta
    scheduled: bool
    triggered_by: str
    started: datetime

    @classmethod
    def of(cls, context: Context) -> RunClock:
        """Return the clock of the DAG run in ``context``. Raises ValueError for an ``as_of`` without a zone."""
        return cls.of_run(context["dag_run"])

    @classmethod
    def of_run(cls, dag_run: Any) -> RunClock:
        """Return the clock of a DAG run as the SDK describes it. Raises as :meth:`of`."""
        scheduled = str(getattr(dag_run.run_type, "value", dag_run.run_type)) == "scheduled"
        as_of = (dag_run.conf or {}).get("as_of")
        started = dag_run.start_date or dag_run.run_after
        reconciles = dag_run.run_id.startswith(RECONCILE)
        if as_of:
            try:
                moment = require_aware(datetime.fromisoformat(str(as_of)))
            except ValueError as error:
                raise ValueError(
                    f"as_of {as_of!r} is not a time with a zone. Write for example 2026-01-14T19:00-05:00"
                ) from error
            return cls(et(moment), moment - started, False, "reconcile" if reconciles else "replay", moment)
        if scheduled and dag_run.logical_date is not None:
            return cls(et(dag_run.logical_date), timedelta(), True, "schedule", started)
        if reconciles:
            return cls(et(dag_run.run_after), timedelta(), False, "reconcile", started)
        user = dag_run.triggering_user_name
        return cls(et(dag_run.run_after), timedelta(), False, f"manual:{user}" if user else "manual", started)

    def now(self) -> datetime:
        """Return the current time by the run's clock, aware, UTC."""
        return self.of_wall(self.wall())

    @staticmethod
    def wall() -> datetime:
        """Return the current time by the wall clock, UTC.

        Rows carry this time, even in a replay, because the views keep the latest row.
        """
        return datetime.now(UTC)

    def of_wall(self, moment: datetime) -> datetime:
        """Return the time by the run's clock at ``moment`` of the wall clock."""
        return moment + self.shift

    @property
    def attended(self) -> bool:
        """Whether a person started the run: a manual run or a replay."""
        return bool(self.shift) or self.triggered_by.startswith("manual")

    @property
    def source(self) -> Source:
        """The source of this run's calls. A replay counts as the controller."""
        if self.triggered_by == "reconcile":
            return Source.RECOVERY
        return Source.MANUAL if self.triggered_by.startswith("manual") else Source.CONTROLLER
