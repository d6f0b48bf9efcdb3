"""Clean texts and values of other systems, for BigQuery, Airflow's database and terminals. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from orchestration.services.redaction import without_secrets

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
MAX_INT64 = 2**63 - 1
MESSAGE_CHARACTERS = 1_000
SUMMARY_CHARACTERS = 20_000
"""The most characters of a summary's JSON that a row keeps."""
DEEPEST = 20
"""The most levels of nesting kept. BigQuery allows 500 for JSON; Python's stack limits our own readers."""
LEFT_OUT = "left_out"
"""The key under which a shortened summary says how many keys are left out."""
# Postgres takes no NUL, UTF-8 no lone surrogate, and a terminal obeys escape sequences.
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def clean_text(value: str, limit: int = MESSAGE_CHARACTERS) -> str:
    """Return at most ``limit`` characters of ``value``. Characters that cannot be stored or shown are replaced."""
    return _ODD.sub(REPLACEMENT, value[:limit])


def kept_summary(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return a summary as a row keeps it: plain values, no secrets, and only the keys that fit into the limit."""
    result: dict[str, Any] = {}
    room = SUMMARY_CHARACTERS
    for key, value in summary.items():
        name, inner = clean_text(str(key)), _plain(value, DEEPEST)
        needed = len(name) + len(json.dumps(inner))
        if needed <= room:
            result[name] = inner
            room -= needed
    if len(result) < len(summary):
        result[LEFT_OUT] = f"{len(summary) - len(result)} of {len(summary)} keys"
    plain: dict[str, Any] = without_secrets(result)
    return plain


def _plain(value: Any, depth: int) -> Any:
    """Return ``value`` with clean texts. Numbers that BigQuery's JSON cannot hold become text."""
    match value:
        case str():
            return clean_text(value, SUMMARY_CHARACTERS + 1)
        case bool() | None:
            return value
        case int():
            return value if abs(value) <= MAX_INT64 else clean_text(str(value))
        case float():
            return value if math.isfinite(value) else str(value)
        case _ if depth == 0:
            return "…"
        case dict():
            return {clean_text(str(key)): _plain(inner, depth - 1) for key, inner in value.items()}
        case _:
            return [_plain(inner, depth - 1) for inner in value]
