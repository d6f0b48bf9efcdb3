"""Sends an alert by mail and Slack, as ``settings.notifications`` says.

Every alert is in the log. An alert whose channel has no connection is only in the log.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.configuration import conf
from airflow.sdk import BaseHook, BaseNotifier
from airflow.sdk.exceptions import AirflowNotFoundException

from orchestration.alerts.model import Alert
from orchestration.config import Config
from orchestration.health import task_kinds
from orchestration.nba.eastern import et
from orchestration.services.errors import hide_in_logs, in_short
from orchestration.words import AlertLevel, Channel

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)

CONNECTIONS = {Channel.EMAIL: "smtp_default", Channel.SLACK: "slack_default"}
"""The connection of each channel."""
SLACK_SECONDS = 10


@dataclass(frozen=True)
class Sent:
    """The channels that took an alert, and the errors of those that failed."""

    by: tuple[Channel, ...]
    failed: dict[Channel, str]

    @property
    def nowhere(self) -> bool:
        """Whether a channel failed and no other took the alert. The alert must be sent again."""
        return bool(self.failed) and not self.by


def not_set_up(config: Config) -> dict[Channel, str]:
    """Return the channels of the configuration that cannot be used, each with the reason."""
    settings = config.settings.notifications
    named = {c for level in (AlertLevel.CRITICAL, AlertLevel.WARNING) for c in settings.channels(level)}
    return {channel: why for channel in Channel if channel in named and (why := _missing(config, channel))}


def _missing(config: Config, channel: Channel) -> str | None:
    try:
        BaseHook.get_connection(CONNECTIONS[channel])
    except AirflowNotFoundException:
        return f"there is no connection {CONNECTIONS[channel]}"
    if channel is Channel.EMAIL and not config.settings.notifications.email_to:
        return "settings.notifications.email_to is empty"
    return None


def send(config: Config, alert: Alert, at: datetime, link: str) -> Sent:
    """Send an alert to the channels of its level. Errors are logged and returned.

    ``at``: the aware time of the alert. ``link``: the run's address.
    """
    by, failed = [], {}
    text = message_of(alert, at, link)
    context: Any = {"alert_subject": subject_of(alert), "alert_text": text, "alert_html": escape(text)}
    for channel in config.settings.notifications.channels(alert.level):
        if missing := _missing(config, channel):
            log.warning("Not sent by %s: %s. The alert is only in the log", channel, missing)
            continue
        try:
            notifier = _NOTIFIERS[channel](config)
            notifier.render_template_fields(context)
            # Calling the notifier itself would log the channel's answer, which may hold a secret.
            notifier.notify(context)
        except Exception as error:
            hide_in_logs(error)
            failed[channel] = in_short(error)
            log.exception("Not sent by %s", channel)
        else:
            by.append(channel)
    return Sent(tuple(by), failed)


def subject_of(alert: Alert) -> str:
    """Return the level, the kind and the workflow in one line."""
    if alert.kind == task_kinds.HEALED.id:
        return f"Over: {alert.workflow}"
    return f"{alert.level.value} {alert.kind.replace('_', ' ')}: {alert.workflow}"


def message_of(alert: Alert, at: datetime, link: str) -> str:
    """Return the message: ET time, text, a link to the run, and the first command."""
    return "\n".join([f"{et(at):%a %d %b %Y %H:%M} ET", alert.text, f"Run: {link}", f"Next: {alert.command}"])


def airflow_url() -> str:
    """Return the address of Airflow's UI, without a slash at the end."""
    return str(conf.get("api", "base_url", fallback=None) or "http://localhost:8080").rstrip("/")


def run_link(dag_id: str, run_id: str) -> str:
    """Return the address of a run in Airflow's UI."""
    return f"{airflow_url()}/dags/{quote(dag_id)}/runs/{quote(run_id, safe='')}"


# Notifiers render their fields as templates. An alert's text comes partly from outside, so it is passed as a value.
_SUBJECT, _PLAIN, _HTML = (
    "{{ alert_subject }}",
    "*{{ alert_subject }}*\n{{ alert_text }}",
    "<pre>{{ alert_html }}</pre>",
)


def _mail(config: Config) -> BaseNotifier:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    to = list(config.settings.notifications.email_to)
    return SmtpNotifier(to=to, subject=_SUBJECT, html_content=_HTML, smtp_conn_id=CONNECTIONS[Channel.EMAIL])


def _slack(config: Config) -> BaseNotifier:
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

    hook = {"slack_webhook_conn_id": CONNECTIONS[Channel.SLACK], "timeout": SLACK_SECONDS}
    return SlackWebhookNotifier(text=_PLAIN, unfurl_links=False, **hook)


_NOTIFIERS = {Channel.EMAIL: _mail, Channel.SLACK: _slack}
