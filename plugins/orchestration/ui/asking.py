"""What every page asks first: who looks, at which day and hour, and what is known of it. Problems become pages."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from orchestration.audit.warehouse import WarehouseError
from orchestration.config import ConfigError
from orchestration.config.model import Config
from orchestration.health.facts import CallFact
from orchestration.nba.eastern import after
from orchestration.ui.addresses import AddressError, day_of, moment_of, shown_first
from orchestration.ui.database import RunState
from orchestration.ui.day import day_page
from orchestration.ui.looking import Look, Looks
from orchestration.ui.model import Beside, DayPage, Tick, TickState
from orchestration.ui.rendering import SECURITY, render
from orchestration.ui.seeing import Hiding
from orchestration.ui.why import Why, why

looks = Looks()
UNKNOWN = "Decisions, calls and games are in BigQuery; whether the night is in cannot be known until it answers."


class Problem(Exception):
    """What kept a page from being made: for people, with the first command to type."""

    def __init__(self, status: int, headline: str, problem: str, command: str = "") -> None:
        super().__init__(problem)
        self.status, self.headline, self.problem, self.command = status, headline, problem, command
        self.day: date | None = None
        self.runs: list[RunState] | None = None
        """What Airflow's own database knows of ``day``, where that helps."""


def root_of(request: Request) -> str:
    """Return the path under which the API server has our pages."""
    return str(request.scope.get("root_path", ""))


def show_problem(request: Request, problem: Exception) -> Response:
    """Show a problem as a page."""
    assert isinstance(problem, Problem)
    html = render(
        "problem.html",
        root_of(request),
        headline=problem.headline,
        problem=problem.problem,
        command=problem.command,
        runs=problem.runs,
        day=problem.day,
    )
    return HTMLResponse(html, problem.status, headers=SECURITY)


def allowed_to(user: GetUserDep) -> frozenset[str]:
    """Return the ids of the DAGs that the viewer's roles let them see."""
    return frozenset(get_auth_manager().get_authorized_dag_ids(user=user))


Allowed = Annotated[frozenset[str], Depends(allowed_to)]
DayText = Annotated[str, Query(alias="day")]
SEE_DAG = [Depends(requires_access_dag("GET"))]


def as_page(html: str) -> HTMLResponse:
    """Return a page as it is sent."""
    return HTMLResponse(html, headers=SECURITY)


def asked_for(day: str, as_of: str) -> tuple[date, datetime | None]:
    """Return the day and the moment that were asked for; None: the present."""
    try:
        config, now = looks.config(), looks.clock()
        asked = day_of(day) or shown_first(config, now)[0]
        if as_of:
            return asked, moment_of(as_of, asked, config)
        return asked, None
    except AddressError as error:
        raise Problem(400, "This address makes no sense", str(error)) from None
    except ConfigError as error:
        raise broken(error) from None


def broken(error: ConfigError) -> Problem:
    """Return what is shown while no configuration can be read."""
    return Problem(503, "UNKNOWN: the configuration cannot be read", str(error), "airflow dags list-import-errors")


def unanswered(error: Exception) -> Problem:
    """Return what is shown while BigQuery does not answer."""
    return Problem(503, f"UNKNOWN: {error}", UNKNOWN, "airflow connections get google_cloud_default")


def look_at(day: date, as_of: datetime | None, *, beside: bool = False) -> Look:
    """Return what is known of a day. Raises Problem."""
    try:
        return looks.day(day, as_of, beside=beside)
    except ConfigError as error:
        raise broken(error) from None
    except (WarehouseError, ValueError) as error:
        raise unanswered(error) from None


def made(day: date, as_of: datetime | None, allowed: frozenset[str], *, beside: bool = False) -> tuple[Look, DayPage]:
    """Return what is known of a day, and its page for whoever may see ``allowed``. Raises Problem."""
    look = look_at(day, as_of, beside=beside)
    page = day_page(look.config, look.facts, look.planned, look.now, allowed, live=as_of is None)
    return look, page


def other_day(allowed: frozenset[str]) -> Beside:
    """Return, for whoever names no day, the other one of last night and today. Raises ConfigError."""
    first, day = shown_first(looks.config(), looks.clock())
    name = f"{'Last night' if day < first else 'The new day'}, {day:%a %d %b}"
    try:
        _, page = made(day, None, allowed, beside=True)
    except Problem as problem:
        return Beside(day, name, "unknown", problem.headline)
    return Beside(day, name, page.verdict.name.lower() if page.verdict else "plan", page.headline)


def config_if_any() -> Config | None:
    """Return the configuration in use, or None where it cannot be read."""
    try:
        return looks.config()
    except ConfigError:
        return None


def why_of(workflow: str, tick: Tick, allowed: frozenset[str]) -> tuple[Why | None, str | None]:
    """Return why a tick was decided as it was, or why that cannot be known."""
    try:
        config, schedule, history = looks.tick(workflow, tick.at)
        return why(workflow, config, tick.at, schedule, history, Hiding(config, allowed)), None
    except (ConfigError, WarehouseError, ValueError) as error:
        return None, f"The checks cannot be gone through: {error}"


def calls_of_run(look: Look, tick: Tick) -> list[CallFact]:
    """Return every try of a RUN's calls."""
    found = [c for c in look.facts.calls if c.workflow == tick.workflow and tick.run_id and c.run_id == tick.run_id]
    return sorted(found, key=lambda call: (call.scraper, call.map_index, call.call_index or 0, call.try_number))


def vetoable(look: Look, tick: Tick) -> bool:
    """Whether the run is in its hold, in which a person can stop it."""
    hold = timedelta(minutes=look.config.settings.execution_delay_minutes)
    return tick.state is TickState.RUNNING and look.now < after(tick.at, hold)
