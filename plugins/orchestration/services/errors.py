"""What another system's library raised, for a message."""

from __future__ import annotations

from orchestration.audit.rows import masked
from orchestration.services.plain import text


def in_short(error: Exception) -> str:
    """Return the kind of error and the beginning of its text, as every reader may see it."""
    return f"{type(error).__name__}: {text(masked(str(error)), 200)}"
