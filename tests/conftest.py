"""Fixtures and hooks of all tests. Airflow's home is a temporary folder, set before any import of Airflow."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
_HOME = tempfile.mkdtemp(prefix="orchestration-tests-")
os.environ.update(
    AIRFLOW_HOME=_HOME,
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "plugins"),
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
)
for _name in ("ORCHESTRATION_CONFIG", "ORCHESTRATION_OUTBOX"):
    os.environ.pop(_name, None)

# The same cases each time, so that a random case never fails an unrelated change.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

# Imported modules stay in memory. Collecting garbage among them would take a fifth of the unit tests' time.
gc.disable()

from orchestration.audit.outbox import Outbox  # noqa: E402
from orchestration.audit.warehouse import Warehouse  # noqa: E402
from support.standins import GoogleStandIns  # noqa: E402

LIMITS = {
    "orchestration.audit.warehouse": ("QUERY_SECONDS", "APPEND_SECONDS"),
    "orchestration.services.google_cloud": ("PUBLISH_SECONDS", "LOOKUP_SECONDS"),
}
"""Time limits of the package. Tests raise them because a busy machine is slow, not broken. A test may set its own."""
PATIENCE_SECONDS = 300
LONGEST = ("test_simulated_days.py", "test_cluster.py")


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """Raise the time limits of the package."""
    with pytest.MonkeyPatch.context() as patch:
        for module, names in LIMITS.items():
            for name in names:
                patch.setattr(f"{module}.{name}", PATIENCE_SECONDS)
        yield


@pytest.fixture(scope="session")
def google() -> Iterator[GoogleStandIns]:
    """The BigQuery emulator and the sandbox world for all integration tests. Each test empties the tables it reads."""
    with GoogleStandIns() as running:
        yield running


@pytest.fixture
def warehouse(google: GoogleStandIns) -> Warehouse:
    """A warehouse with empty tables."""
    google.empty()
    return Warehouse()


@pytest.fixture
def outbox(tmp_path: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """An empty outbox in front of the warehouse."""
    monkeypatch.setenv("ORCHESTRATION_OUTBOX", f"file://{tmp_path / 'outbox'}")
    return Outbox(warehouse=warehouse)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """With ``-m lesson``, print the lessons whose tests ran."""
    if "lesson" not in (config.getoption("-m") or ""):
        return
    lessons: dict[str, set[str]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for number in report.keywords:
                if number.startswith("lesson:"):
                    lessons.setdefault(number.removeprefix("lesson:"), set()).add(outcome)
    held = sorted((n for n, o in lessons.items() if o == {"passed"}), key=lambda n: ("TKECA".index(n[0]), int(n[1:])))
    broken = sorted(n for n, o in lessons.items() if "failed" in o)
    terminalreporter.write_line(f"{len(held)} lessons held: {' '.join(held)}")
    if broken:
        terminalreporter.write_line(f"{len(broken)} lessons broken: {' '.join(broken)}", red=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests: the longest first, then system, integration and unit tests.

    Tests that wait for an Airflow start early, and tests that only compute fill the free time. The longest tests start
    first, so that no worker has to finish one alone.
    """
    rooms = ("system", "integration", "unit")
    items.sort(
        key=lambda item: (item.path.name not in LONGEST, rooms.index(item.path.relative_to(ROOT / "tests").parts[0]))
    )


def pytest_collection_finish() -> None:
    """Collect garbage again, but seldom."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Add the number of the lesson to the keywords of the report."""
    for mark in item.iter_markers("lesson"):
        item.extra_keyword_matches.add(f"lesson:{mark.args[0]}")
        item.keywords[f"lesson:{mark.args[0]}"] = 1
