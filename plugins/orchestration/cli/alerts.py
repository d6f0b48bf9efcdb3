"""``alerts test``: one message to each channel of alerts."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from orchestration.cli.app import SET_UP, command
from orchestration.cli.screen import show
from orchestration.config import load
from orchestration.words import AlertLevel, ExitCode

WAYS = (
    "This command and a deadline's callback see connections in AIRFLOW_CONN_… and in a secrets backend. Tasks also see "
    "those in Airflow's database."
)


class What(StrEnum):
    """What to do with the channels."""

    TEST = "test"


@command("alerts", SET_UP, "test")
def alerts(what: Annotated[What, typer.Argument(metavar="test", help="Send a message.", show_default=False)]) -> int:
    """Send one test message to each channel of alerts, and show what came back.

    It ignores levels, workflows and hours. Exit code 1: a channel did not take its message, or there is no channel.
    """
    from orchestration.alerts.channels import airflow_url, deliver
    from orchestration.alerts.model import alert
    from orchestration.health.task_kinds import TEST

    config = load().config
    channels = config.settings.channels
    if not channels:
        print("settings.alerts.channels is empty, so alerts are only in the log")
        return ExitCode.FOUND
    table, back = Table.grid(padding=(0, 2)), []
    # The table shows the errors, so the log would only repeat them.
    logging.disable()
    try:
        for channel in channels:
            one = alert(TEST, "alerts", level=AlertLevel.INFO, channel=channel.name)
            back.append(deliver(config, channel, one, datetime.now(UTC), airflow_url()))
    finally:
        logging.disable(logging.NOTSET)
    for channel, problem in zip(channels, back, strict=True):
        word = "sent" if problem is None else "FAILED" if problem.tried else "NOT SET UP"
        style = "green" if problem is None else "red"
        table.add_row(channel.name, Text(word, style=style), problem.why if problem else "")
    show(table)
    problems = [problem for problem in back if problem is not None]
    if any(not problem.tried for problem in problems):
        print(WAYS)
    return ExitCode.FOUND if problems else ExitCode.WELL
