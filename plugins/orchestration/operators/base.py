"""The base of the operators: they stage audit rows, their callbacks append them, and some send alerts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from orchestration.alerts.memory import ALERTS
from orchestration.audit.callbacks import append_staged
from orchestration.audit.outbox import Outbox
from orchestration.config import Config
from orchestration.config.last_good import load_or_last_good
from orchestration.decisions.request import Parameters, RequestRefused
from orchestration.records.base import Record
from orchestration.records.ids import TaskKey

if TYPE_CHECKING:
    from airflow.sdk import Context

RETRIES_OF_OUR_OWN = 2
"""Retries of a task after a short fault, such as a full disk. Tasks that make calls have their own number."""

FIRST_TIME_KEY = "first_time"


def audited(**arguments: Any) -> dict[str, Any]:
    """Return operator arguments with the callbacks that append the rows that the task staged."""
    return {
        "on_success_callback": append_staged,
        "on_failure_callback": append_staged,
        "on_retry_callback": append_staged,
        "on_skipped_callback": append_staged,
        "retries": RETRIES_OF_OUR_OWN,
        "retry_delay": timedelta(seconds=10),
        **arguments,
    }


class AuditedOperator(BaseOperator):
    """An operator that stages rows in ``execute``. ``workflow`` is a name in workflows.yaml, or None."""

    ui_color = "#e8f0fb"

    def __init__(self, *, workflow: str | None = None, **arguments: Any) -> None:
        super().__init__(**audited(**arguments))
        self.workflow = workflow
        self.staged: dict[str, list[str]] = {}

    @cached_property
    def config(self) -> Config:
        """The configuration in use. Every task reads the file once, when it needs it (lesson K9)."""
        return load_or_last_good().config

    def is_shadow_by_now(self) -> bool:
        """Return whether the workflow is a shadow now: the file may have changed since the task began (lesson A9)."""
        return load_or_last_good().config.is_shadow(self.workflow)

    def stage(self, rows: Iterable[Record], *, unless_staged: bool = False) -> None:
        """Stage rows. Once this returns they cannot be lost; the callback appends them.

        ``unless_staged``: a row that is already staged stays unchanged.
        """
        outbox = Outbox()
        for row in rows:
            self.staged.setdefault(row.TABLE, []).extend(outbox.stage([row], unless_staged=unless_staged))


class AlertingOperator(AuditedOperator):
    """An operator that may send alerts. Its inlet is the memory of the alerts that were sent."""

    def __init__(self, *, inlets: Iterable[Asset] = (), **arguments: Any) -> None:
        super().__init__(inlets=[ALERTS, *inlets], **arguments)


def request_of(context: Context) -> dict[str, Any]:
    """Return the request of a run: its parameters, with its conf on top. Airflow does not always merge the two."""
    return {**(context.get("params") or {}), **(context["dag_run"].conf or {})}


def refuse_bad_request(
    context: Context, parameters: type[Parameters], error: type[AirflowException] = AirflowFailException
) -> None:
    """Raise ``error``, without retries, if the request of the run makes no sense.

    In a DAG of several independent tasks, all tasks but the last skip themselves. The last one fails the run.
    """
    try:
        parameters.check(request_of(context))
    except RequestRefused as refused:
        raise error(str(refused)) from None


def task_key(context: Context) -> TaskKey:
    """Return the audit key of the task in ``context``."""
    ti = context["ti"]
    map_index = ti.map_index if ti.map_index is not None else -1
    return TaskKey(ti.dag_id, ti.run_id, ti.task_id, map_index, ti.try_number)


def first_time(context: Context, moment: datetime) -> datetime:
    """Return ``moment``. A later try of the task gets the moment of the first try instead.

    A decision or execution keeps its id when its task runs again. It must keep its day too: the tables are partitioned
    by day, and the views look for the rows of an id within one day.
    """
    store = context["task_state_store"]
    said = store.get(FIRST_TIME_KEY) if context["ti"].try_number > 1 else None
    if said is not None:
        return datetime.fromisoformat(said)
    store.set(FIRST_TIME_KEY, moment.isoformat())
    return moment
