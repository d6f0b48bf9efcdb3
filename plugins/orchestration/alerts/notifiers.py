"""Makes the Airflow notifier of a channel, and says why a notifier cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from airflow.sdk import BaseHook, BaseNotifier
from airflow.sdk.exceptions import AirflowNotFoundException

from orchestration.config import Config
from orchestration.services.errors import in_short
from orchestration.vocabulary.alerting import EXAMPLE, AlertChannel
from orchestration.vocabulary.source import Problem, Source
from orchestration.vocabulary.templates import filled
from orchestration.words import Channel

SHORT = {
    Channel.EMAIL: "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
    Channel.SLACK: "airflow.providers.slack.notifications.slack_webhook.SlackWebhookNotifier",
}
SLACK_SECONDS = 10
MAIL = '<pre style="white-space: pre-wrap">{{ alert_html }}</pre>'
OPTIONAL = "aws_conn_id"
"""The one connection that may be missing: then boto3 finds its own credentials."""


class NotUsable(Exception):
    """A channel has no notifier that could send. The text names the reason."""


class NotHere(NotUsable):
    """The notifier's class cannot be imported in this process. Another machine may have its package."""


def notifier_of(config: Config, channel: AlertChannel, values: Mapping[str, str]) -> BaseNotifier:
    """Return the notifier of a channel, with ``values`` filled into its arguments. Raises NotUsable.

    Text from outside is always a value. The notifier must not render its fields again.
    """
    made = _class(SHORT.get(channel.notifier, channel.notifier))  # type: ignore[call-overload]
    arguments = {key: _filled(value, values) for key, value in _arguments(config, channel).items()}
    try:
        notifier: BaseNotifier = made(**arguments)
    except Exception as error:
        raise NotUsable(f"{channel.notifier} refuses its arguments: {in_short(error)}") from error
    return notifier


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        made = getattr(import_module(module), name)
    except (Exception, SystemExit) as error:
        why = f"{type(error).__name__}: {error}"
        raise NotHere(f"{path} cannot be imported ({why}). Install its package wherever tasks run") from error
    if not (isinstance(made, type) and issubclass(made, BaseNotifier)):
        raise NotUsable(f"{path} is not a notifier. A notifier is a subclass of airflow.sdk.BaseNotifier")
    return made


def _arguments(config: Config, channel: AlertChannel) -> dict[str, Any]:
    given = channel.arguments
    if channel.notifier == Channel.EMAIL:
        mail = {"subject": "{{ alert_subject }}", "html_content": MAIL}
        return {"to": list(config.settings.notifications.email_to), "smtp_conn_id": "smtp_default", **mail, **given}
    if channel.notifier == Channel.SLACK:
        post = {"text": "{{ alert_slack }}", "unfurl_links": False, "timeout": SLACK_SECONDS}
        return {"slack_webhook_conn_id": "slack_default", **post, **given}
    return given


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    match value:
        case str():
            return filled(value, values)
        case dict():
            return {key: _filled(inner, values) for key, inner in value.items()}
        case list():
            return [_filled(inner, values) for inner in value]
        case _:
            return value


def not_set_up(config: Config, channel: AlertChannel) -> str | None:
    """Return why the channel cannot send, before anything is sent: its class, its arguments, a missing connection."""
    try:
        notifier = notifier_of(config, channel, EXAMPLE)
        return no_receiver(notifier) or no_connection(notifier)
    except Exception as error:
        return str(error) if isinstance(error, NotUsable) else in_short(error)


def no_receiver(notifier: BaseNotifier) -> str | None:
    """Return that a mail has no receivers, or None."""
    empty = isinstance(notifier, _class(SHORT[Channel.EMAIL])) and not vars(notifier)["to"]
    return "settings.notifications.email_to is empty" if empty else None


def no_connection(notifier: BaseNotifier) -> str | None:
    """Return the first connection of a notifier that does not exist, in words, or None."""
    for name, conn_id in vars(notifier).items():
        if name.endswith("conn_id") and name != OPTIONAL and isinstance(conn_id, str):
            try:
                BaseHook.get_connection(conn_id)
            except AirflowNotFoundException:
                return f"there is no connection {conn_id}"
    return None


def unusable(config: Config, source: Source) -> Iterator[tuple[Problem, bool]]:
    """Yield each channel without a usable notifier, and whether that is an error everywhere.

    A class that cannot be imported here may be installed where tasks run.
    """
    for index, channel in enumerate(config.settings.alerts.channels or ()):
        try:
            notifier_of(config, channel, EXAMPLE)
        except NotUsable as error:
            path = ("settings", "alerts", "channels", index, "notifier")
            yield source.problem(path, str(error)), not isinstance(error, NotHere)
