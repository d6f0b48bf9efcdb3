"""Runs a deadline's callback as Airflow's executor does: in Airflow's supervisor, with a callback's token.

``python -m support.callbacks '{"path": …, "kwargs": …}'``, with the callback's context in ``kwargs``.
"""

import json
import sys
from uuid import uuid4

from airflow.api_fastapi.execution_api.app import InProcessExecutionAPI
from airflow.api_fastapi.execution_api.datamodels.token import TIClaims, TIToken
from airflow.api_fastapi.execution_api.security import _jwt_bearer
from airflow.sdk.api.client import Client
from airflow.sdk.execution_time.callback_supervisor import supervise_callback

ID = uuid4()


async def of_a_callback() -> TIToken:
    """Return the token of a callback. A task's token has the scope ``execution``."""
    return TIToken(id=ID, claims=TIClaims(scope="workload"))


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    api = InProcessExecutionAPI()
    # In this process no token is signed. The rights of its scope are still checked.
    api.app.dependency_overrides[_jwt_bearer] = of_a_callback
    client = Client(base_url=None, token="", dry_run=True, transport=api.transport)
    client.base_url = "http://in-process.invalid./"
    supervise_callback(
        id=str(ID), callback_path=asked["path"], callback_kwargs=asked["kwargs"], dag_rel_path="workflows.py",
        client=client,
    )  # fmt: skip
