"""What another system's library raised, for a message."""

from __future__ import annotations


def in_short(error: Exception) -> str:
    """Return the kind of error and the beginning of its text."""
    return f"{type(error).__name__}: {str(error)[:200]}"
