"""The hourly inspection of everything that our tasks depend on. The cleanup's row keeps it for the health check.

An inspection that fails is not a finding: it is logged, and the others go on.
"""

from __future__ import annotations

import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestration.alerts.channels import airflow_url
from orchestration.config import LOCKER, RECONCILE, Config
from orchestration.config.last_good import in_use
from orchestration.health.surroundings import DEFAULT_POOL, UNWRITABLE
from orchestration.runs.clock import RunClock
from orchestration.words import Around

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import Logger

    from orchestration.audit.warehouse import Warehouse
    from orchestration.records.tables import Seen

Observation = tuple[Around, str, str]
"""The kind of a problem, its subject and its text."""
UNDRAINED_KEY = "undrained"
"""The XCom of ``drain_outbox`` with the reason why rows are still staged."""
OFF = timedelta(minutes=2)
"""The tolerance of our clock against BigQuery's, the duration of a query included."""
SERVICE_SECONDS = 10.0
TRIES = 2
"""The number of failed requests in a row after which the service counts as out of reach."""
BETWEEN_SECONDS = 20.0
"""The pause between two requests, in which a restarting service is back."""


def inspect_surroundings(context: Context, config: Config, warehouse: Warehouse, log: Logger) -> list[Seen]:
    """Return the problems around our tasks. ``warehouse`` has just been queried, with or without an answer."""
    ti: Any = context["ti"]
    inspections: list[Callable[[], Iterator[Observation]]] = [
        _configuration,
        lambda: _outbox(ti),
        _writable,
        _components,
        *(partial(_paused, ti, dag_id) for dag_id in _dags(config)),
        lambda: _waiting(ti, config),
        lambda: _clock(warehouse),
    ]
    if not config.is_shadow():
        now = RunClock.of(context).now()
        inspections.append(lambda: _service(config, now))
    from orchestration.records.tables import Seen

    found: list[Seen] = []
    for inspection in inspections:
        try:
            found += [Seen(kind=kind, about=about, text=text) for kind, about, text in inspection()]
        except Exception:
            log.warning("An inspection failed; the others go on", exc_info=True)
    return found


def _configuration() -> Iterator[Observation]:
    _, problem = in_use()
    if problem is not None:
        yield Around.CONFIG, "workflows.yaml", problem


def _outbox(ti: Any) -> Iterator[Observation]:
    if why := ti.xcom_pull(task_ids="drain_outbox", key=UNDRAINED_KEY):
        yield Around.OUTBOX, "outbox", str(why)


def _writable() -> Iterator[Observation]:
    from orchestration.audit.outbox import Outbox

    outbox = Outbox()
    try:
        outbox.probe()
    except OSError as error:
        yield Around.OUTBOX, "outbox", f"{UNWRITABLE} ({outbox.url}: {error})"


def _components() -> Iterator[Observation]:
    from orchestration.services.airflow_health import NoHealthPage, components, ill

    try:
        found = components(airflow_url())
    except NoHealthPage:
        # A worker may not reach the address that people use.
        return
    for name, why in ill(found).items():
        yield Around.COMPONENT, name, why


def _dags(config: Config) -> tuple[str, ...]:
    system = {LOCKER: config.settings.daily_schedule_lock.enabled, RECONCILE: config.settings.reconcile.enabled}
    return (*config.enabled, *(name for name, wanted in system.items() if wanted))


def _paused(ti: Any, dag_id: str) -> Iterator[Observation]:
    """Inspect one DAG by itself: Airflow raises an error for a DAG that it does not know yet."""
    if ti.get_dag(dag_id).is_paused:
        yield Around.PAUSED, dag_id, "paused"


def _waiting(ti: Any, config: Config) -> Iterator[Observation]:
    """Yield the calls that wait for a slot of their pool. The health check judges whether they wait too long."""
    for name, workflow in config.enabled.items():
        if not ti.get_dr_count(name, states=["running"]):
            continue
        by_pool: dict[str, list[str]] = defaultdict(list)
        for scraper in workflow.execution_plan.scrapers:
            by_pool[config.scrapers[scraper].pool or DEFAULT_POOL].append(scraper)
        for pool, scrapers in by_pool.items():
            if count := ti.get_ti_count(name, task_ids=scrapers, states=["scheduled"]):
                yield Around.WAITING, pool, f"{name}: {count}"


def _clock(warehouse: Warehouse) -> Iterator[Observation]:
    if warehouse.ahead is not None and abs(warehouse.ahead) > OFF:
        minutes = round(warehouse.ahead.total_seconds() / 60)
        text = f"{abs(minutes)} min {'ahead of' if minutes > 0 else 'behind'} BigQuery's"
        yield Around.CLOCK, socket.gethostname(), text


def _service(config: Config, now: datetime) -> Iterator[Observation]:
    from orchestration.services.scraper_service import NoListing, ScraperService, unknown_scrapers

    service = ScraperService(config.settings.endpoint)
    problems = [service.problem(SERVICE_SECONDS)]
    while problems[-1] is not None and len(problems) < TRIES:
        time.sleep(BETWEEN_SECONDS)
        problems.append(service.problem(SERVICE_SECONDS))
    problem = problems[-1]
    # A service that answers 4xx can be reached.
    if problem is not None and "HTTP 4" not in problem:
        yield Around.SERVICE, "scraper_service", problem
        return
    try:
        if unknown := unknown_scrapers(config, now):
            yield Around.UNKNOWN_SCRAPER, "scraper_service", "; ".join(unknown)
    except NoListing:
        return
