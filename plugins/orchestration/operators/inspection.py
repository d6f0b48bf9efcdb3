"""The hourly inspection of everything that our tasks depend on. The cleanup's row keeps it for the health check.

If an inspection itself fails, that is logged, and the other inspections go on.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestration.alerts.channels import airflow_url, run_link
from orchestration.alerts.failing import still_failing
from orchestration.alerts.heartbeat import not_taken
from orchestration.alerts.memory import ALERTS
from orchestration.audit.outbox import Outbox
from orchestration.audit.service_log import ahead_of_service, made_twice, second_runs
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse
from orchestration.config import LOCKER, RECONCILE, Config
from orchestration.config.last_good import in_use
from orchestration.health.findings import GRACE, UNWRITABLE
from orchestration.health.surroundings import DEFAULT_POOL
from orchestration.records.tables import Seen
from orchestration.runs.clock import RunClock
from orchestration.services.scraper_service import NoListing, ScraperService, unknown_scrapers
from orchestration.words import Surrounding

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import Logger

Observation = tuple[Surrounding, str, str]
"""The kind of a problem, its subject and its text."""
UNDRAINED_KEY = "undrained"
"""The XCom of ``drain_outbox`` with the reason why rows are still staged."""
OFF = timedelta(minutes=2)
"""The tolerated difference between our clock and BigQuery's. It includes the duration of a query."""
ZONE = timedelta(hours=1)
"""From here on two clocks differ by their zone, and the log's times mean something else."""
ENOUGH_TWICE = 5
"""From this many of our calls, and half of them, that another caller made too, a second copy may run."""
SERVICE_SECONDS = 10.0
BETWEEN_SECONDS = 20.0
"""The pause after a failed request, in which a restarting service comes back. After a second failure it is down."""
HEALTH_PAGE_SECONDS = 5


class NoHealthPage(Exception):
    """Airflow's health page does not answer. The text names the page and the reason."""


def inspect_surroundings(context: Context, config: Config, warehouse: Warehouse, log: Logger) -> list[Seen]:
    """Return the problems around our tasks. ``warehouse`` has just been queried, so it knows BigQuery's clock."""
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
    now = RunClock.of(context).now()
    inspections.append(lambda: _channels(context, config, now))
    inspections.append(lambda: _no_row(ti, config, warehouse, now))
    inspections.append(lambda: _callers(config, warehouse, now))
    if not config.is_shadow():
        inspections.append(lambda: _service(config, now))
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
        yield Surrounding.CONFIG, "workflows.yaml", problem


def _outbox(ti: Any) -> Iterator[Observation]:
    if why := ti.xcom_pull(task_ids="drain_outbox", key=UNDRAINED_KEY):
        yield Surrounding.OUTBOX, "outbox", str(why)


def _writable() -> Iterator[Observation]:
    outbox = Outbox()
    try:
        outbox.probe()
    except OSError as error:
        yield Surrounding.OUTBOX, "outbox", f"{UNWRITABLE} ({outbox.url}: {error})"


def components() -> dict[str, dict[str, Any]]:
    """Return the ``status`` and heartbeat of each component of Airflow, from its health page, which needs no login.

    Raises NoHealthPage.
    """
    import requests

    try:
        reply = requests.get(f"{airflow_url()}/api/v2/monitor/health", timeout=HEALTH_PAGE_SECONDS)
        reply.raise_for_status()
        found: dict[str, dict[str, Any] | None] = reply.json()
    except (requests.RequestException, ValueError) as error:
        raise NoHealthPage(f"{airflow_url()} does not answer ({type(error).__name__})") from error
    return {name: state or {} for name, state in found.items()}


def unhealthy(found: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the unhealthy components, each with its last heartbeat or status in words."""
    why = {}
    for name, state in found.items():
        if state.get("status") not in ("healthy", None):
            beat = next((str(value) for key, value in state.items() if key.startswith("latest_") and value), None)
            why[name] = f"its last heartbeat was {beat}" if beat else f"it is {state['status']}"
    return why


def _components() -> Iterator[Observation]:
    # A worker may not reach the address that people use.
    with contextlib.suppress(NoHealthPage):
        for name, why in unhealthy(components()).items():
            yield Surrounding.COMPONENT, name, why


def _dags(config: Config) -> tuple[str, ...]:
    system = {LOCKER: config.settings.daily_schedule_lock.enabled, RECONCILE: config.settings.reconcile.enabled}
    return (*config.enabled, *(name for name, wanted in system.items() if wanted))


def _paused(ti: Any, dag_id: str) -> Iterator[Observation]:
    """Yield a paused DAG. Each DAG has its own inspection, because Airflow raises an error for an unknown DAG."""
    if ti.get_dag(dag_id).is_paused:
        yield Surrounding.PAUSED, dag_id, "paused"


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
                yield Surrounding.WAITING, pool, f"{name}: {count}"


def _no_row(ti: Any, config: Config, warehouse: Warehouse, now: datetime) -> Iterator[Observation]:
    """Yield the DAGs with runs that succeeded in Airflow and left no row, and the ticks of these runs."""
    day = config.current_day(now)
    start, end = config.day_bounds(day)
    until = min(end, now - GRACE)
    due = {name: config.ticks_of(name).between(start, until) for name in config.enabled}
    if config.settings.daily_schedule_lock.enabled and start < until:
        due[LOCKER] = [start]
    bounds = {"start": start.astimezone(UTC), "until": end.astimezone(UTC)}
    about = {"day": day, "start_date": bounds["start"].date(), **bounds}
    rows = warehouse.query(statement("recorded_ticks"), about)
    recorded = {(row["workflow_name"], row["slot_time"]) for row in rows}
    for name, ticks in due.items():
        silent = [tick for tick in ticks if (name, tick) not in recorded]

        def ran(*moments: datetime, dag_id: str = name) -> int:
            return int(ti.get_dr_count(dag_id, logical_dates=list(moments), states=["success"]))

        if silent and ran(*silent):
            yield Surrounding.NO_ROW, name, " ".join(tick.isoformat(timespec="minutes") for tick in silent if ran(tick))


def _callers(config: Config, warehouse: Warehouse, now: datetime) -> Iterator[Observation]:
    """Yield what the service's log says: calls that another caller makes too, and a worker whose clock is ahead."""
    logged, calls = second_runs(warehouse, config, now)
    twice, made = made_twice(logged, calls)
    if len(twice) >= ENOUGH_TWICE and 2 * len(twice) >= made:
        text = f"the service's log has a second run for {len(twice)} of {made} calls of the last hours"
        yield Surrounding.TWICE, "scraper_service", text
    if OFF < (ahead := ahead_of_service(logged, calls)) < ZONE:
        yield Surrounding.CLOCK, "a worker", f"{round(ahead.total_seconds() / 60)} min ahead of the scraper service's"


def _clock(warehouse: Warehouse) -> Iterator[Observation]:
    if warehouse.ahead is not None and abs(warehouse.ahead) > OFF:
        minutes = round(warehouse.ahead.total_seconds() / 60)
        text = f"{abs(minutes)} min {'ahead of' if minutes > 0 else 'behind'} BigQuery's"
        yield Surrounding.CLOCK, socket.gethostname(), text


def _channels(context: Context, config: Config, now: datetime) -> Iterator[Observation]:
    """Yield the alert channels that refuse messages still, and a heartbeat that its monitor did not take."""
    store, here = context["asset_state_store"][ALERTS], run_link(context["ti"].dag_id, context["ti"].run_id)
    for name, why in still_failing(store, config, now, here):
        yield Surrounding.CHANNEL, name, why
    for name, why in not_taken(store, config):
        yield Surrounding.HEARTBEAT, name, why


def _service(config: Config, now: datetime) -> Iterator[Observation]:
    service = ScraperService(config.settings.endpoint)
    problem = service.problem(SERVICE_SECONDS)
    if problem is not None:
        time.sleep(BETWEEN_SECONDS)
        problem = service.problem(SERVICE_SECONDS)
    # A service that answers 4xx can be reached.
    if problem is not None and "HTTP 4" not in problem:
        yield Surrounding.SERVICE, "scraper_service", problem
        return
    with contextlib.suppress(NoListing):
        if unknown := unknown_scrapers(config, now):
            yield Surrounding.UNKNOWN_SCRAPER, "scraper_service", "; ".join(unknown)
