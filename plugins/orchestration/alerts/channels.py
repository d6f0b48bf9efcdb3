"""Sends an alert by the channels of the configuration. Every alert is also in the log."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from airflow.configuration import conf
from airflow.sdk.exceptions import AirflowNotFoundException

from orchestration.alerts import notifiers
from orchestration.alerts.message import anchor, for_mail, for_slack, message_of, shown_level, subject_of
from orchestration.alerts.model import Alert
from orchestration.config import Config
from orchestration.health import task_kinds
from orchestration.services.errors import hide_in_logs, in_short
from orchestration.vocabulary.alerting import LOUD, AlertChannel
from orchestration.words import AlertLevel

log = logging.getLogger(__name__)

SEVERITY = {AlertLevel.CRITICAL: "critical", AlertLevel.WARNING: "warning"}
"""PagerDuty's words for the levels; ``info`` for the others."""


@dataclass(frozen=True)
class Sent:
    """The channels that took an alert, and the reasons of those that did not.

    ``failed``: channels that were tried. ``missing``: channels without a connection or receiver. ``to_log``: whether
    the alert belongs in the log alone: there is no channel at all, or no channel for such a low level.
    """

    by: tuple[str, ...]
    failed: dict[str, str]
    missing: dict[str, str] = field(default_factory=dict)
    to_log: bool = False

    @property
    def nowhere(self) -> bool:
        """Whether nobody took the alert, although somebody should. The alert must be sent again (lesson F7)."""
        return not self.by and not self.to_log


def not_set_up(config: Config) -> dict[str, str]:
    """Return the channels of the configuration that cannot be used, each with the reason."""
    why = {channel.name: notifiers.not_set_up(config, channel) for channel in config.settings.channels}
    return {name: reason for name, reason in why.items() if reason is not None}


def send(config: Config, alert: Alert, at: datetime, link: str) -> Sent:
    """Send an alert to the channels that take it. Errors are logged and returned.

    The next channel of the list replaces a channel that does not take the alert, whatever it takes otherwise.
    ``at``: the aware time of the alert. ``link``: the run's address.
    """
    channels = config.settings.channels
    own = [channel for channel in channels if channel.takes(alert.level, alert.workflow, at)]
    sending = _Sending(config, alert, at, link)
    for channel in own:
        sending.by(channel)
    for channel in own:
        place = channels.index(channel)
        for other in (*channels[place + 1 :], *channels[:place]):
            if channel.name in sending.took or other.name in sending.took:
                break
            if other.name not in sending.why:
                sending.by(other, instead_of=channel.name)
    to_log = not channels or (not own and alert.level not in LOUD)
    sent = Sent(tuple(sending.took), sending.failed, sending.missing, to_log)
    if sent.nowhere:
        log.warning("The alert is only in the log: %s", "no channel took it" if own else "no channel is for it now")
    return sent


class _Sending:
    """One alert on its way: which channels took it, and why others did not."""

    def __init__(self, config: Config, alert: Alert, at: datetime, link: str) -> None:
        self.config, self.alert, self.at, self.link = config, alert, at, link
        self.took: list[str] = []
        self.failed: dict[str, str] = {}
        self.missing: dict[str, str] = {}

    @property
    def why(self) -> dict[str, str]:
        """The reasons of all channels that did not take the alert."""
        return self.failed | self.missing

    def by(self, channel: AlertChannel, instead_of: str | None = None) -> None:
        """Try one channel. ``instead_of``: the channel that it replaces, which the message names."""
        why = f"Sent here because {instead_of} failed: {self.why[instead_of]}" if instead_of else ""
        problem = deliver(self.config, channel, self.alert, self.at, self.link, why)
        if problem is None:
            self.took.append(channel.name)
        elif problem.tried:
            self.failed[channel.name] = problem.why
        else:
            self.missing[channel.name] = problem.why


@dataclass(frozen=True)
class NotTaken:
    """Why a channel did not take an alert. ``tried``: False for a channel without a connection or receiver."""

    why: str
    tried: bool


def deliver(
    config: Config, channel: AlertChannel, alert: Alert, at: datetime, link: str, more: str = ""
) -> NotTaken | None:
    """Send an alert by one channel. Return None if the channel took it. ``more``: a line for the end of the message."""
    notifier, values = None, values_of(config, alert, at, link, more)
    try:
        notifier = notifiers.notifier_of(config, channel, values)
        if empty := notifiers.no_receiver(notifier):
            log.warning("Not sent by %s: %s", channel.name, empty)
            return NotTaken(empty, tried=False)
        # Calling the notifier itself would render text from outside, and log the channel's answer with its secrets.
        notifier.notify(values)
    except Exception as error:
        hide_in_logs(error)
        if notifier is not None and _not_found(error) and (missing := notifiers.no_connection(notifier)):
            log.warning("Not sent by %s: %s", channel.name, missing)
            return NotTaken(missing, tried=False)
        if isinstance(error, notifiers.NotUsable):
            log.error("Not sent by %s: %s", channel.name, error)
            return NotTaken(str(error), tried=True)
        log.exception("Not sent by %s", channel.name)
        return NotTaken(in_short(error), tried=True)
    return None


def _not_found(error: BaseException | None) -> bool:
    """Return whether a connection that does not exist is the cause."""
    return error is not None and (
        isinstance(error, AirflowNotFoundException) or _not_found(error.__cause__) or _not_found(error.__context__)
    )


def values_of(config: Config, alert: Alert, at: datetime, link: str, more: str = "") -> Any:
    """Return the values that the arguments of a notifier may name (``vocabulary.alerting.EXAMPLE``)."""
    page, run = page_link(config, alert, at), link if alert.run_id else None
    text = "\n".join(filter(None, (message_of(alert, at, page, run), more)))
    level, over = shown_level(alert), alert.kind == task_kinds.HEALED.id
    return {
        "alert_subject": subject_of(alert),
        "alert_text": text,
        "alert_html": for_mail(text),
        "alert_slack": f"*{for_slack(subject_of(alert))}*\n{for_slack(text)}",
        "alert_level": level.value,
        "alert_severity": SEVERITY.get(level, "info"),
        "alert_action": "resolve" if over else "trigger",
        "alert_key": alert.incident,
        "alert_kind": alert.kind,
        "alert_workflow": alert.workflow,
        "alert_command": alert.command,
        "alert_link": page,
    }


def page_link(config: Config, alert: Alert, at: datetime) -> str:
    """Return the address of the incident on our page of its day, or of the day's page for an all-clear."""
    day = alert.day or config.current_day(at)
    place = "" if alert.kind == task_kinds.HEALED.id else f"#{anchor(alert.incident)}"
    return f"{airflow_url()}/orchestration/day?day={day}{place}"


def airflow_url() -> str:
    """Return the address of Airflow's UI, without a slash at the end."""
    return str(conf.get("api", "base_url", fallback=None) or "http://localhost:8080").rstrip("/")


def run_link(dag_id: str, run_id: str) -> str:
    """Return the address of a run in Airflow's UI."""
    return f"{airflow_url()}/dags/{quote(dag_id)}/runs/{quote(run_id, safe='')}"
