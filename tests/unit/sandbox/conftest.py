"""The fixture that the sandbox's tests share."""

import pytest

from support.sandbox_service import SandboxService


@pytest.fixture
def start_service(tmp_path):
    """Return a function that starts a scraper service in this process. All services stop after the test."""
    started = []

    def start(dialect="real", rates=None):
        started.append(SandboxService(tmp_path, dialect, rates))
        return started[-1]

    yield start
    for service in started:
        service.close()
