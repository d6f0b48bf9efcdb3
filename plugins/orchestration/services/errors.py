"""What another system's library raised, for a message."""

from __future__ import annotations

from orchestration.services.plain import text


def in_short(error: Exception) -> str:
    """Return the kind of error and the beginning of its text, in characters that every reader takes."""
    return f"{type(error).__name__}: {text(str(error), 200)}"
