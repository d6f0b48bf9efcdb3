"""A real Airflow API server with logins and rights for single DAGs, on a running stack."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import requests
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

from sandbox.stack import Stack
from support.ports import free_ports
from support.standins import PATIENCE_SECONDS

TESTS = Path(__file__).resolve().parents[1]
RIGHTS = "PER_DAG_RIGHTS"
PASSWORD = "a viewer's own"


class PerDagAuthManager(SimpleAuthManager):
    """Airflow's simple auth manager, which limits the users in ``PER_DAG_RIGHTS`` to their DAGs."""

    def is_authorized_dag(self, *, user: Any, details: Any = None, **asked: Any) -> bool:
        """Return whether a user may access a DAG, or any DAG if none is given."""
        rights = json.loads(os.environ[RIGHTS])
        if user.username in rights:
            dags = rights[user.username]
            if not dags or (details is not None and details.id is not None and details.id not in dags):
                return False
        return super().is_authorized_dag(user=user, details=details, **asked)


def token(url: str, user: str, password: str = PASSWORD) -> str:
    """Log in and return the token."""
    reply = requests.post(f"{url}/auth/token", json={"username": user, "password": password}, timeout=PATIENCE_SECONDS)
    reply.raise_for_status()
    return str(reply.json()["access_token"])


@contextlib.contextmanager
def guarded(stack: Stack, rights: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Start another API server on a stack, for viewers with these rights and for ``admin``. Yield its address."""
    [port] = free_ports(1)
    url, passwords = f"http://127.0.0.1:{port}", stack.home / "passwords.json"
    passwords.write_text(json.dumps(dict.fromkeys([*rights, "admin"], PASSWORD)))
    env = {
        **stack.env,
        "PYTHONPATH": f"{stack.env['PYTHONPATH']}{os.pathsep}{TESTS}",
        RIGHTS: json.dumps(rights),
        "AIRFLOW__CORE__AUTH_MANAGER": f"{PerDagAuthManager.__module__}.{PerDagAuthManager.__qualname__}",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(["admin:admin", *(f"{name}:viewer" for name in rights)]),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
    }
    with (stack.home / "guarded.log").open("ab") as log:
        command = ["airflow", "api-server", "--apps", "core", "--port", str(port)]
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        stack.processes["guarded"] = process
        try:
            stack._await("guarded", f"{url}/api/v2/monitor/health")
            yield url
        finally:
            stack.kill("guarded")
