"""What another system's library raised, for a message."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from orchestration.services.redaction import masked, secrets_in, struck_out, without, without_secrets
from orchestration.services.sanitize import clean_text


def in_short(error: Exception, secrets: Iterable[str] = ()) -> str:
    """Return the kind of error and the beginning of its text, as every reader may see it: without ``secrets``."""
    return f"{type(error).__name__}: {clean_text(masked(without(str(error), secrets)), 200)}"


def hide_in_logs(error: BaseException) -> None:
    """Strike out what looks like a secret in an error and in all that led to it.

    For an error that is logged with all of them, or raised anew from it. Airflow strikes it out of the task's log as
    well, but the scheduler's copy of that log has errors as they are.
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
            # Google's errors say this, whatever their arguments are.
            with contextlib.suppress(AttributeError):
                one.message = struck_out(one.message)  # type: ignore[attr-defined]
