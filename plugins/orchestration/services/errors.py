"""Exceptions of other libraries, in a form that is safe to show and to log."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from orchestration.services.redaction import clean_text, masked, secrets_in, struck_out, without, without_secrets


def in_short(error: Exception, secrets: Iterable[str] = ()) -> str:
    """Return the class of an error and the beginning of its text, without ``secrets`` and other likely secrets."""
    return f"{type(error).__name__}: {clean_text(masked(without(str(error), secrets)), 200)}"


def hide_in_logs(error: BaseException) -> None:
    """Strike out everything that looks like a secret in an error and in its causes.

    Call this before the error is logged or chained to another. Airflow masks the task's own log, but the scheduler's
    copy of that log shows errors unmasked.
    """
    from airflow.sdk.log import mask_secret

    seen: set[int] = set()
    chain: list[BaseException | None] = [error]
    while chain:
        one = chain.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        chain += [one.__cause__, one.__context__]
        for secret in secrets_in(f"{one} {one.args}"):
            mask_secret(secret)
        one.args = tuple(without_secrets(part) for part in one.args)
        if isinstance(getattr(one, "message", None), str):
            # Google's errors print this attribute, not their arguments.
            with contextlib.suppress(AttributeError):
                one.message = struck_out(one.message)  # type: ignore[attr-defined]
