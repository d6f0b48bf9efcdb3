"""The outbox under crashes, poison and outages: none lost, none doubled."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from orchestration.audit.outbox import Outbox
from orchestration.audit.setup import init
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import RequestRefused, Warehouse, WarehouseError
from support import crash
from support.rows import NOW, a_decision
from support.worlds import DAY


def seen(warehouse):
    span = {"first_date": DAY, "last_date": DAY}
    return {r["name"]: r["rows_seen"] for r in warehouse.query(statement("row_counts"), span)}["workflow_decisions"]


def written(warehouse):
    """Rows in the table itself, the same one twice counted twice."""
    return warehouse.query("SELECT COUNT(*) AS n FROM nba_orchestration.workflow_decisions")[0]["n"]


@pytest.mark.lesson("E3")
@pytest.mark.parametrize("step", crash.STEPS)
def test_a_task_killed_between_any_two_steps_leaves_exactly_one_row(step, outbox, warehouse):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, crash.__file__, step], env=env, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    # The task is tried again, with the same id, and the cleanup drains what either left.
    outbox.append("workflow_decisions", outbox.stage([a_decision()]))
    outbox.drain()
    assert outbox.staged() == []
    assert seen(warehouse) == 1
    assert written(warehouse) == {"before staging": 1, "half written": 1, "appended": 3}.get(step, 2)


class Poisoned(Warehouse):
    """Refuses, as BigQuery does with 400, every request that holds a row with a bad reason, and says no more."""

    def append(self, table, rows):
        if any(row["reason"] == "bad" for row in rows):
            raise RequestRefused("400")
        super().append(table, rows)


def test_a_row_for_which_bigquery_refuses_the_request_is_set_aside_and_the_others_go_in(outbox, warehouse):
    outbox.warehouse = Poisoned()
    outbox.stage(a_decision(decision_id=str(n), reason="bad" if n in (3, 77) else "good") for n in range(100))
    drained = outbox.drain()
    assert (drained.appended, len(drained.refused)) == (98, 2)
    assert seen(warehouse) == 98
    aside = sorted(path.name.split(".")[0] for path in (outbox.root / "refused" / "workflow_decisions").glob("*.json"))
    assert aside == ["3", "77"]
    assert outbox.staged() == []


def test_while_nothing_gets_through_nothing_is_set_aside(outbox, warehouse):
    outbox.warehouse = Poisoned()
    outbox.stage(a_decision(decision_id=str(n), reason="bad") for n in range(3))
    with pytest.raises(WarehouseError, match="0 rows appended, 3 stay staged"):
        outbox.drain()
    assert len(outbox.staged()) == 3


def test_a_table_that_is_not_there_blocks_no_other(outbox, warehouse):
    warehouse.query("DROP TABLE nba_orchestration.workflow_executions")
    try:
        outbox.stage([a_decision()])
        (outbox.root / "workflow_executions").mkdir()
        (outbox.root / "workflow_executions" / "x.1.json").write_text("{}")
        with pytest.raises(WarehouseError, match="1 rows appended, 1 stay staged"):
            outbox.drain()
        assert seen_decisions(warehouse) == 1
    finally:
        init(warehouse)


def seen_decisions(warehouse):
    return warehouse.query("SELECT COUNT(*) AS n FROM nba_orchestration.v_workflow_decisions")[0]["n"]


def test_an_object_store_serves_as_well_as_a_folder(warehouse):
    outbox = Outbox("memory://bucket/outbox", warehouse)
    outbox.append("workflow_decisions", outbox.stage([a_decision()]))
    outbox.stage([a_decision(decision_id="left")])
    assert outbox.stage([a_decision(decision_id="left")], unless_staged=True) == []
    assert outbox.drain().appended == 1
    assert seen(warehouse) == 2
    assert outbox.staged() == []


class Unreliable(Warehouse):
    """BigQuery with faults that the state machine sets: it takes nothing, or takes all and says that it failed."""

    fault: str | None = None

    def append(self, table, rows):
        if self.fault == "down":
            raise WarehouseError("down")
        super().append(table, rows)
        if self.fault == "answer lost":
            raise WarehouseError("the answer was lost")


class OutboxMachine(RuleBasedStateMachine):
    """Tasks stage and append, are tried again, are killed; the cleanup drains; BigQuery comes and goes."""

    staged_in_all = 0

    @initialize()
    def empty(self):
        Warehouse().query("TRUNCATE TABLE nba_orchestration.workflow_decisions")
        self.folder = tempfile.TemporaryDirectory()
        self.warehouse = Unreliable()
        self.outbox = Outbox(f"file://{self.folder.name}/outbox", self.warehouse)
        self.ids: list[str] = []

    def stage(self, ids):
        return self.outbox.stage(a_decision(decision_id=one, created_at=NOW) for one in ids)

    @rule(count=st.integers(1, 120), appended=st.sampled_from(["by the callback", "never: killed"]))
    def tasks_run(self, count, appended):
        ids = [f"{len(self.ids) + number}" for number in range(count)]
        self.ids += ids
        names = self.stage(ids)
        if appended == "by the callback":
            self.append(names)

    @rule(data=st.data())
    def tasks_are_tried_again(self, data):
        if self.ids:
            start = data.draw(st.integers(0, len(self.ids) - 1))
            self.append(self.stage(self.ids[start : start + 20]))

    @rule(fault=st.sampled_from([None, None, "down", "answer lost"]))
    def bigquery_changes(self, fault):
        self.warehouse.fault = fault

    @rule()
    def cleanup_drains(self):
        try:
            self.outbox.drain()
        except WarehouseError:
            assert self.warehouse.fault is not None

    def append(self, names):
        try:
            self.outbox.append("workflow_decisions", names)
        except WarehouseError:
            assert self.warehouse.fault is not None

    @invariant()
    def nothing_is_half_written(self):
        if hasattr(self, "folder"):
            assert not [path for path in Path(self.folder.name).rglob(".*") if path.is_file()]

    def teardown(self):
        if not hasattr(self, "folder"):
            return
        self.warehouse.fault = None
        self.outbox.drain()
        assert self.outbox.staged() == []
        found = Warehouse().query("SELECT decision_id AS one FROM nba_orchestration.v_workflow_decisions")
        assert sorted(row["one"] for row in found) == sorted(self.ids)
        type(self).staged_in_all += len(self.ids)
        self.folder.cleanup()


@pytest.mark.parametrize(
    ("examples", "rows"),
    [pytest.param(10, 2_000, id="2000 rows"), pytest.param(50, 10_000, id="10000 rows", marks=pytest.mark.drill)],
)
def test_rows_through_random_faults_none_lost_none_doubled(google, examples, rows):
    OutboxMachine.staged_in_all = 0
    run_state_machine_as_test(
        OutboxMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
    assert OutboxMachine.staged_in_all >= rows
