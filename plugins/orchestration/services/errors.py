"""What another system's library raised, for a message."""

from __future__ import annotations

from collections.abc import Iterable

from orchestration.services.plain import text
from orchestration.services.redaction import masked, secrets_in, without


def in_short(error: Exception, secrets: Iterable[str] = ()) -> str:
    """Return the kind of error and the beginning of its text, as every reader may see it: without ``secrets``."""
    return f"{type(error).__name__}: {text(masked(without(str(error), secrets)), 200)}"


def hide_in_logs(error: BaseException) -> None:
    """Have Airflow strike out of its logs what looks like a secret in an error, or in one that led to it.

    For an error that is logged with all that led to it, or raised anew from it.
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
