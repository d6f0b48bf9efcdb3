"""The words that YAML, SQL, Python and reports share, as enums (lesson K11). And helpers for texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from enum import IntEnum, StrEnum

PLATFORM = "platform_"
"""How the error type begins of an error that the scraper service did not write itself. The HTTP status follows."""


class Action(StrEnum):
    """RUN, SKIP, or ABORT (should run and cannot)."""

    RUN = "RUN"
    SKIP = "SKIP"
    ABORT = "ABORT"


class AlertLevel(StrEnum):
    """The level of an alert."""

    NONE = "NONE"
    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


def loudness(level: AlertLevel) -> int:
    """Return the rank of a level: a louder one has a higher rank."""
    return list(AlertLevel).index(level)


class Channel(StrEnum):
    """The channels of an alert, besides the log."""

    EMAIL = "email"
    SLACK = "slack"


class Priority(StrEnum):
    """The importance of a workflow."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Mode(StrEnum):
    """live: make the calls of a RUN. shadow: only record decisions, beside the system that makes the calls."""

    LIVE = "live"
    SHADOW = "shadow"


class Outcome(StrEnum):
    """How one call ended: records > 0, nothing published yet (no error), or failed."""

    SUCCESS = "success"
    NO_DATA = "no_data"
    FAILED = "failed"


BLOCKED_ERRORS = ("blocked", "DownloadDecodeMaxRetryException")
"""The error types of a refused call: ours, and the service's after eight tries without a readable answer."""


class ExecutionStatus(StrEnum):
    """completed: no call failed; partial: a non-critical call failed; failed: a critical call or all (lesson K7)."""

    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"


class Surrounding(StrEnum):
    """The things around the calls that the cleanup inspects besides files."""

    CONFIG = "config"
    PAUSED = "paused"
    COMPONENT = "component"
    WAITING = "waiting"
    SERVICE = "service"
    UNKNOWN_SCRAPER = "unknown_scraper"
    OUTBOX = "outbox"
    CLOCK = "clock"
    NO_ROW = "no_row"
    TWICE = "twice"
    CHANNEL = "channel"
    HEARTBEAT = "heartbeat"


class NoAnswer(StrEnum):
    """The first words of an error of BigQuery, by its cause."""

    DOWN = "BigQuery did not answer"
    FORBIDDEN = "BigQuery refuses access, a permission is missing"
    QUOTA = "BigQuery refuses more work, a quota is used up"
    GONE = "BigQuery has no table"


class Source(StrEnum):
    """Who started a call."""

    CONTROLLER = "CONTROLLER"
    MANUAL = "MANUAL"
    RECOVERY = "RECOVERY"


class TargetDate(StrEnum):
    """How a workflow's target date follows from its tick. All three are ET dates."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    SLATE = "slate"


class FanOut(StrEnum):
    """The kind of item that a scraper is called for, once for each item."""

    NOTHING = "nothing"
    GAME = "game"
    TEAM = "team"
    EVENT = "event"


class KeptPaths(StrEnum):
    """The files whose paths a table of Phase 2 keeps: all, only the newest (each overwrites the last), or none."""

    ALL = "all"
    NEWEST = "newest"
    NONE = "none"


class FileState(StrEnum):
    """The state of a file that was not in its table when it left the cleanup's look-back. Only OPEN is not final."""

    OPEN = "open"
    ARRIVED = "arrived"
    SETTLED = "settled"
    GIVEN_UP = "given_up"


class ExitCode(IntEnum):
    """The exit codes of all commands. Ctrl-C exits with 130, as in every shell."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitCode:
        """Keep the meaning of a code beside its number."""
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    WELL = 0, "well or nothing to report"
    FOUND = 1, "degraded or something found"
    UNHEALTHY = 2, "unhealthy"
    UNKNOWN = 3, "cannot tell"
    USAGE = 64, "called wrongly"


class Verdict(StrEnum):
    """The result of the health check."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    UNHEALTHY = "UNHEALTHY"
    NO_GAMES = "NO GAMES"
    UNKNOWN = "UNKNOWN"

    @property
    def exit_code(self) -> ExitCode:
        """The code that the health check exits with."""
        of_faults = {"DEGRADED": ExitCode.FOUND, "UNHEALTHY": ExitCode.UNHEALTHY, "UNKNOWN": ExitCode.UNKNOWN}
        return of_faults.get(self.value, ExitCode.WELL)


MOST_CHARACTERS = 100
MOST_OF_ERROR = 130
"""A quoted error is cut after this many characters."""
_REQUEST = re.compile(r"\b(?:GET|POST|PUT|PATCH|DELETE) https?://\S+\s*")


def clipped(value: object) -> str:
    """Return ``value`` as text on one line, cut off after 100 characters."""
    text = str(value) if str(value).isprintable() else repr(str(value))[1:-1]
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def first_sentence(text: str) -> str:
    """Return the first sentence of ``text`` on one line, without the full stop."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return re.split(r"\.(?:\s|$)", " ".join(line.split()), maxsplit=1)[0]


def shortened(text: str, most: int) -> str:
    """Return ``text``, cut between two words if it is longer than ``most`` characters."""
    if len(text) <= most:
        return text
    return text[: most - 1].rsplit(None, 1)[0].rstrip(" ,;:") + "…"


def brief(error: object) -> str:
    """Return the first clause of a quoted error, without the address of its HTTP request."""
    return shortened(first_sentence(_REQUEST.sub("", str(error))), MOST_OF_ERROR)


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return `` (did you mean `x`?)`` for the nearest allowed word, else an empty text."""
    close = get_close_matches(clipped(word), list(allowed), n=1, cutoff=0.6)
    return f" (did you mean `{close[0]}`?)" if close else ""


def plural(count: int, noun: str) -> str:
    """Return ``1 game`` or ``2 games``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def few(names: Sequence[str], most: int = 3, *, counted: bool = True) -> str:
    """Return the first ``most`` names and that there are others: ``a, b, c and 2 more``, or ``a, b, c and others``."""
    left = len(names) - most
    more = f" and {left} more" if counted else " and others"
    return ", ".join(names[:most]) + (more if left > 0 else "")
