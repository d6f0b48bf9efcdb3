"""Parameters that are a field of an Airflow connection or an Airflow variable, looked up by each call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestration.services.connection import NotSetUp
from orchestration.services.errors import in_short
from orchestration.vocabulary.templates import REFERENCE


async def looked_up(parameters: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Return the values of the parameters ``names``, masked in Airflow's logs.

    Raises NotSetUp for a connection, field or variable that does not exist.
    """
    from airflow.sdk.log import amask_secret

    values = {name: await _value(name, str(parameters[name])) for name in names}
    for value in values.values():
        await amask_secret(value)
    return values


async def _value(name: str, reference: str) -> str:
    from airflow.sdk import BaseHook, Variable
    from asgiref.sync import sync_to_async

    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise NotSetUp(f"parameter {name} is no connection and no variable", retryable=False)
    what = f"variable {found['variable']}" if found["variable"] else f"connection {found['conn']}"
    try:
        if found["variable"]:
            value = await sync_to_async(Variable.get)(found["variable"])
        else:
            connection = await BaseHook.aget_connection(found["conn"])
            kind, _, key = found["field"].partition(".")
            value = connection.extra_dejson.get(key) if kind == "extra" else getattr(connection, kind)
    except Exception as error:
        # It does not exist, or the secrets backend does not answer.
        raise NotSetUp(f"the {what} of parameter {name} cannot be read: {in_short(error)}") from error
    if value is None or value == "":
        raise NotSetUp(f"the {what} of parameter {name} has no {found['field'] or 'value'}", retryable=False)
    return str(value)
