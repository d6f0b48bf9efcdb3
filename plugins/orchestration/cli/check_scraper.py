"""``check-scraper``: real calls, and how we read the answers. It records nothing."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer

from orchestration.audit.inputs import decision_inputs
from orchestration.audit.service_log import log_entries
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cli.app import SCRAPERS, SET_UP, AsJson, Misuse, a_day, check_name, command
from orchestration.cli.screen import UNLIMITED, grid, show, show_object
from orchestration.config import Config, load
from orchestration.nba.eastern import et, et_date
from orchestration.nba.games import Game
from orchestration.nba.league import TEAMS
from orchestration.services.answers import CallResult
from orchestration.services.errors import in_short
from orchestration.services.redaction import clean_text, masked, without_secrets
from orchestration.services.scraper_service import CallRequest, ScraperService
from orchestration.vocabulary.scrapers import answer_of, event_source_of, fan_out_of, is_event_source, parameters_of
from orchestration.vocabulary.templates import Item, references, render
from orchestration.words import ExitCode, FanOut, Outcome

WORKFLOW = "check-scraper"
"""The name of the workflow in the request, which the service logs."""


class _CannotAsk(Exception):
    """The call needs a game or an event, and there is none."""


@command("check-scraper", SET_UP, "nbac_play_by_play --game 0022500555", "--all --date 2026-01-14")
def check_scraper(
    name: Annotated[
        str | None,
        typer.Argument(
            autocompletion=SCRAPERS, metavar="NAME", help="A scraper of workflows.yaml.", show_default=False
        ),
    ] = None,
    game: Annotated[
        str | None,
        typer.Option(metavar="GAME_ID", help="For a scraper of games. Default: the first game near the date."),
    ] = None,
    day: Annotated[date | None, a_day("--date", what="ET date that the data is about. Default: today.")] = None,
    event: Annotated[
        str | None,
        typer.Option(metavar="ID", help="For a scraper of events. Default: the first event of its event source."),
    ] = None,
    every: Annotated[
        bool,
        typer.Option("--all", metavar="", help="Call each scraper once. Name failures that match no sign."),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Make one real call and show how we read the answer.

    The call has today's parameters and is not recorded. The cause of a failure is read from the service's log too. The
    exit code is 0 when the answer fits workflows.yaml, else 1.
    """
    config = load().config
    if every is (name is not None):
        raise Misuse("give the name of one scraper, or --all", next_step=f"choose from {', '.join(config.scrapers)}")
    if name is not None:
        check_name("scraper", name, config.scrapers)
    asked = _Asked(config, et(datetime.now(UTC)), game, day, event)
    names = [name] if name is not None else list(config.scrapers)
    # Airflow's hooks log to standard output, where only the answers belong.
    with redirect_stdout(sys.stderr):
        made = _explained(config, {one: _checked(asked, one) for one in names}, asked.now)
    answers = {one: _seen(config, one, call) for one, call in made.items()}
    if as_json:
        show_object({"scrapers": answers} if every else answers[names[0]])
    elif every:
        lines = grid(1, 28, 9, 8, 0)
        for one, seen in answers.items():
            lines.add_row("", one, seen["outcome"] or "-", _text(seen["records"]), _text(seen["problem"]))
        show(lines, width=UNLIMITED)
        bad = [one for one, seen in answers.items() if seen["problem"]]
        print(f"{len(answers)} scrapers, {len(bad)} with a problem")
    else:
        print(f"{names[0]}, with {json.dumps(without_secrets(made[names[0]].parameters), default=str)}")
        lines = grid(1, 9, 0)
        for key, value in answers[names[0]].items():
            lines.add_row("", key, _text(value))
        show(lines, width=UNLIMITED)
    return ExitCode.WELL if all(seen["problem"] is None for seen in answers.values()) else ExitCode.FOUND


@dataclass(frozen=True)
class _Made:
    """A call: its parameters, and its result or what prevented it."""

    parameters: dict[str, Any]
    result: CallResult | None = None
    problem: str | None = None


def _text(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, list) else value
    return "-" if text in (None, "") else str(text)


def _checked(asked: _Asked, name: str) -> _Made:
    parameters: dict[str, Any] = {}
    try:
        parameters = asked.parameters(name)
        return _Made(parameters, asked.call(name, parameters))
    except _CannotAsk as error:
        return _Made(parameters, problem=str(error))
    except Exception as error:
        # Any error of the connection, the warehouse or the service is the answer of this command.
        return _Made(parameters, problem=in_short(error))


def _explained(config: Config, made: dict[str, _Made], now: datetime) -> dict[str, _Made]:
    """Return the calls with the causes that the service's log has for failures (lesson F15)."""
    failed = {
        one.result.run_id: name
        for name, one in made.items()
        if one.result is not None and one.result.outcome is Outcome.FAILED and one.result.run_id
    }
    if not failed or config.settings.service_log is None:
        return made
    today = now.astimezone(UTC).date()
    try:
        entries, missing = log_entries(Warehouse(config.settings), failed, today, today), "has no row of this run yet"
    except Exception as error:
        # The answers themselves are still shown.
        entries, missing = {}, f"cannot be read: {in_short(error)}"
    found = dict(made)
    for run_id, name in failed.items():
        one, entry = made[name], entries.get(run_id)
        assert one.result is not None
        if entry is None:
            says = f"{one.result.error_type}: {one.result.error_message}; the service's log {missing}"
            found[name] = replace(one, problem=says)
            continue
        reads = answer_of(name, config.scrapers[name])
        outcome = Outcome.FAILED
        if reads.means_no_data(None, entry.error_type, entry.error_message):
            outcome = Outcome.NO_DATA
        said = clean_text(masked(entry.error_message or "")) or one.result.error_message
        kind = entry.error_type or one.result.error_type
        result = replace(one.result, outcome=outcome, error_type=kind, error_message=said)
        found[name] = replace(one, result=result)
    return found


def _seen(config: Config, name: str, made: _Made) -> dict[str, Any]:
    """Return what the command shows of a call."""
    result, problem = made.result, made.problem
    if problem is None and result is not None and result.outcome is Outcome.FAILED:
        signs = "; it matches no sign of no_data (answer.no_data)" if result.run_id else ""
        problem = f"{result.error_type}: {result.error_message}{signs}"
    seen = {
        "outcome": result.outcome.value if result else None,
        "records": result.record_count if result else None,
        "file": result.gcs_path if result else None,
        "event_ids": list(result.event_ids) if result else [],
        "problem": problem,
    }
    reads = answer_of(name, config.scrapers[name])
    if reads.games or reads.games_count:
        seen["games"] = None if result is None else result.game_count if result.games is None else list(result.games)
    return seen


@dataclass(frozen=True)
class _Asked:
    """The game, date and event that the user gave. None means the default."""

    config: Config
    now: datetime
    game: str | None
    day: date | None
    event: str | None

    def call(self, name: str, parameters: dict[str, Any]) -> CallResult:
        """Make one call of the scraper ``name``."""
        config = self.config
        model = config.scrapers[name]
        answer, event_source = answer_of(name, model), is_event_source(name, config.scrapers)
        looked_up, limit = references(parameters_of(name, model)), config.timeout_seconds(name)
        request = CallRequest(name, parameters, WORKFLOW, limit, answer, event_source, looked_up)
        return ScraperService(config.settings.endpoint).call(request)

    def parameters(self, name: str) -> dict[str, Any]:
        """Return the parameters of a call. Raises _CannotAsk if the call needs a game or an event, and none exists."""
        item = Item()
        match fan_out_of(name, self.config.scrapers[name]):
            case FanOut.GAME:
                item = Item(game=self._game())
            case FanOut.TEAM:
                item = Item(team=TEAMS[0])
            case FanOut.EVENT:
                item = Item(event_id=self.event or self._event(event_source_of(self.config.scrapers[name])))
        day = self.day or (item.game.date if item.game else et_date(self.now))
        return render(parameters_of(name, self.config.scrapers[name]), target_date=day, now=self.now, item=item)

    def _event(self, source: str) -> str:
        """Return the first event of an event source, from a call of that source."""
        if source not in self.config.scrapers:
            raise _CannotAsk(f"the event source {source} is not in workflows.yaml; give an event with --event")
        result = self.call(source, self.parameters(source))
        if not result.event_ids:
            why = result.error_message or f"{result.record_count} records"
            raise _CannotAsk(f"{source} names no event ({result.outcome}: {why}); give one with --event")
        return result.event_ids[0]

    def _game(self) -> Game:
        """Return the game with the given id, or else the first game of the given date.

        Without an id and a date, it is the first game of the date nearest to today. If two dates are equally near, the
        past one counts.
        """
        day = self.day or et_date(self.now)
        try:
            names = list(self.config.workflows)[:1]
            schedule, _ = decision_inputs(Warehouse(), self.config, names, self.now, about=day)
        except WarehouseError as error:
            raise _CannotAsk(f"the schedule cannot be read: {error}") from error
        games = [game for game in schedule.games if self.game in (None, game.game_id)]
        if self.day is not None:
            games = [game for game in games if game.date == self.day]
        if not games:
            which = f"no game {self.game}" if self.game else "no game"
            where = f"on {self.day}" if self.day else f"around {day}; give its date with --date"
            raise _CannotAsk(f"the schedule has {which} {where}")
        return min(games, key=lambda game: (abs(game.date - day), game.date, game.tip, game.game_id))
