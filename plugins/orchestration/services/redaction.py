"""Makes texts and values of other systems safe to store and to show: no secrets, no odd characters. Pure.

A secret is known by its name (``apiKey=…``, ``"X-Api-Key": …``), by its form (a token, a login in an address), or by
its value, if our request contained it. A secret may stand in an address, in JSON, or in JSON inside JSON.
"""

from __future__ import annotations

import base64
import html
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

STRUCK_OUT = "***"
MESSAGE_LIMIT = 1_000
"""The most characters kept of a message."""
SHORTEST = 5
"""The fewest characters of a value that is struck out everywhere. A shorter value occurs in too many words."""
SUMMARY_CHARACTERS = 20_000
"""The most characters of a summary's JSON that a row keeps."""
DEEPEST = 20
"""The most levels of nesting kept. BigQuery allows 500 for JSON; Python's stack limits our own readers."""
MAX_INT64 = 2**63 - 1
_READ = 4 * MESSAGE_LIMIT
# Postgres takes no NUL, UTF-8 no lone surrogate, and a terminal obeys escape sequences.
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

_WORDS = (
    "token|secret|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|private[_-]?key|authorization|credential"
    "|signature|cookie|session[_-]?id|x-auth"
)
_SECRET_NAME = re.compile(_WORDS, re.IGNORECASE)
_ONE_NAME = re.compile(r"[^=:?&]+[=:]?\s*")
MOST_WORDS_OF_A_NAME = 3
_NAME_KEYS = frozenset({"name", "key", "header", "field", "param", "parameter"})
_VALUE_KEYS = frozenset({"value", "values", "val", "content"})
# Encoded as in an address or escaped as in JSON, once or several times. Every repetition is bounded, so that a hostile
# text costs no more time than another.
_ENCODED = "%(?:25){0,9}"
_QUOTE = rf"(?:\\{{0,9}}['\"]|{_ENCODED}2[27]|&quot;|&#3[49];)"
_SPACE = rf"(?:\s|\+|{_ENCODED}20){{0,9}}"
_IS = rf"(?:{_QUOTE}?{_SPACE}(?:[=:]|{_ENCODED}3[AD])|{_QUOTE}{_SPACE},){_SPACE}(?:b(?=['\"]))?"
_NAME = rf"(?:{_WORDS})[\w-]{{0,40}}"
_IN_A_QUERY = r"(?:(?<=[?&])|(?<=%3F)|(?<=%26))(?:key|auth|sig|pwd?)"
_END = rf"[\s&'\"\\,;<>]|{_ENCODED}(?:2[0267BC]|3[BCE]|0[AD])"
_SECRET = re.compile(
    # These values may have several words: they end with their line or their quotes.
    rf"(?P<header>(?:authorization|cookie){_IS}{_QUOTE}?(?:(?:bearer|basic){_SPACE})?)"
    rf"(?:(?!{_QUOTE}|[\r\n\\]).)+"
    rf"|(?P<quoted>{_NAME}{_IS}(?P<q>{_QUOTE})).{{1,2000}}?(?:(?<!\\)(?=(?P=q))|\Z)"
    rf"|(?P<named>(?:{_NAME}|{_IN_A_QUERY}){_IS}{_QUOTE}?)(?:(?!{_END}).)+"
    rf"|(?P<scheme>\b(?:bearer|basic)(?:\s|\+|{_ENCODED}20){{1,9}})[\w.~+/=-]{{8,}}"
    r"|(?P<login>://)[^\s/?#'\"]+(?=@)"
    rf"|(?P<encoded_login>{_ENCODED}3A(?:{_ENCODED}2F){{2}})(?:(?!{_ENCODED}2F|[\s/&]).){{1,200}}(?={_ENCODED}40)"
    r"|(?P<form>)\b(?:eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?|AIza[\w-]{30,}|ya29\.[\w.-]+|xox[a-z]-[\w-]{8,})"
    r"|(?P<key>-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----)(?s:.+?)(?=-----END|\Z)",
    re.IGNORECASE,
)


def struck_out(text: str) -> str:
    """Return ``text`` with *** in place of everything that looks like a secret."""
    return _SECRET.sub(lambda found: f"{found[found.lastgroup or 0]}{STRUCK_OUT}", text)


def masked(text: str) -> str:
    """Return the beginning of a message, with everything that looks like a secret struck out."""
    return struck_out(text[:_READ])[:MESSAGE_LIMIT]


def secrets_in(text: str) -> Iterator[str]:
    """Yield the parts of a message that :func:`masked` strikes out."""
    for found in _SECRET.finditer(text[:_READ]):
        yield found[0].removeprefix(found[found.lastgroup or 0])


def without_secrets(value: Any) -> Any:
    """Return a JSON value without secrets: those under a key, those beside a name, and those in a text or a key."""
    match value:
        case str():
            return struck_out(value)
        case dict():
            beside = any(names_a_secret(one) for key, one in value.items() if _is_one_of(key, _NAME_KEYS))
            return {
                struck_out(key) if isinstance(key, str) else key: STRUCK_OUT
                if names_a_secret(key) or (beside and _is_one_of(key, _VALUE_KEYS))
                else without_secrets(inner)
                for key, inner in value.items()
            }
        case list() | tuple():
            # A name stands before its value in pairs, and in flat lists of headers.
            before = [None, *value]
            return [
                STRUCK_OUT if _is_only_a_name(name) else without_secrets(inner)
                for name, inner in zip(before, value, strict=False)
            ]
        case _:
            return value


def names_a_secret(name: Any) -> bool:
    """Return whether a key of this name holds a secret."""
    return isinstance(name, str) and _SECRET_NAME.search(name.replace(" ", "_")) is not None


def _is_only_a_name(text: Any) -> bool:
    """Return whether a text is the name of a secret, and not a sentence or an address that mentions one."""
    short = isinstance(text, str) and len(text.split()) <= MOST_WORDS_OF_A_NAME
    return short and names_a_secret(text) and _ONE_NAME.fullmatch(text) is not None


def _is_one_of(key: Any, names: frozenset[str]) -> bool:
    return isinstance(key, str) and key.lower() in names


def without(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` with *** in place of these ``secrets``, plain, encoded or escaped."""
    forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, STRUCK_OUT)
    return text


def _forms(secret: str) -> set[str]:
    escaped = {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]}
    again = {json.dumps(form)[1:-1] for form in escaped}
    encoded = {quote(secret, safe=""), quote(secret), quote_plus(secret), html.escape(secret)}
    return {*escaped, *again, *encoded, base64.b64encode(secret.encode()).decode()}


def clean_text(value: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return at most ``limit`` characters of ``value``. Characters that cannot be stored or shown are replaced."""
    return _ODD.sub("\N{REPLACEMENT CHARACTER}", value[:limit])


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
        result["left_out"] = f"{len(summary) - len(result)} of {len(summary)} keys"
    plain: dict[str, Any] = without_secrets(result)
    return plain


def _plain(value: Any, depth: int) -> Any:
    """Return ``value`` with clean texts. Numbers that BigQuery's JSON cannot hold become text."""
    match value:
        case str():
            return clean_text(value, SUMMARY_CHARACTERS + 1)
        case int() if abs(value) > MAX_INT64:
            return clean_text(str(value))
        case float() if not math.isfinite(value):
            return str(value)
        case int() | float() | None:
            return value
        case _ if depth == 0:
            return "…"
        case dict():
            return {clean_text(str(key)): _plain(inner, depth - 1) for key, inner in value.items()}
        case _:
            return [_plain(inner, depth - 1) for inner in value]
