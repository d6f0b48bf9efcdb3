"""The outbox under crashes, bad rows and outages: no row is lost, none is doubled."""

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from orchestration.audit import outbox as outbox_module
from orchestration.audit.outbox import HALF, Outbox
from orchestration.audit.setup import init
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import (
    AppendFailed,
    AppendRefused,
    AppendTooLarge,
    Warehouse,
    WarehouseError,
)
from support import crash
from support.faulty_service import FAULTS, FaultyService, http
from support.rows import NOW, a_decision
from support.worlds import DAY


def seen(warehouse):
    span = {"first_date": DAY, "last_date": DAY}
    return {r["name"]: r["rows_seen"] for r in warehouse.query(statement("row_counts"), span)}["workflow_decisions"]


def written(warehouse):
    """Return the number of rows in the table. A duplicate counts twice."""
    return warehouse.query("SELECT COUNT(*) AS n FROM nba_orchestration.workflow_decisions")[0]["n"]


@pytest.mark.lesson("E3")
@pytest.mark.parametrize("step", crash.STEPS)
def test_a_task_killed_at_any_step_leaves_exactly_one_row(step, outbox, warehouse):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, crash.__file__, step], env=env, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    # Airflow retries the task with the same id, and the cleanup drains the rows of both tries.
    outbox.append("workflow_decisions", outbox.stage([a_decision()]))
    outbox.drain()
    assert outbox.staged() == []
    assert seen(warehouse) == 1
    assert written(warehouse) == {"before staging": 1, "half written": 1, "appended": 3}.get(step, 2)


class Poisoned(Warehouse):
    """A warehouse that refuses every request with a bad row, without naming the row, as BigQuery does with 400."""

    def append(self, table, rows):
        if any(row["reason"] == "bad" for row in rows):
            raise AppendRefused("400")
        super().append(table, rows)


def test_a_row_that_bigquery_rejects_is_set_aside_and_the_others_are_written(outbox, warehouse):
    outbox.warehouse = Poisoned()
    outbox.stage(a_decision(decision_id=str(n), reason="bad" if n in (3, 77) else "good") for n in range(100))
    drained = outbox.drain()
    assert (drained.appended, len(drained.refused)) == (98, 2)
    assert seen(warehouse) == 98
    aside = sorted(path.name.split(".")[0] for path in (outbox.root / "refused" / "workflow_decisions").glob("*.json"))
    assert aside == ["3", "77"]
    assert outbox.staged() == []


def test_no_row_is_set_aside_while_bigquery_accepts_none(outbox, warehouse):
    outbox.warehouse = Poisoned()
    outbox.stage(a_decision(decision_id=str(n), reason="bad") for n in range(3))
    with pytest.raises(WarehouseError, match="0 rows appended, 3 still staged"):
        outbox.drain()
    assert len(outbox.staged()) == 3


def test_a_missing_table_blocks_no_other_table(outbox, warehouse):
    warehouse.query("DROP TABLE nba_orchestration.workflow_executions")
    try:
        outbox.stage([a_decision()])
        (outbox.root / "workflow_executions").mkdir()
        (outbox.root / "workflow_executions" / "x.1.json").write_text("{}")
        with pytest.raises(WarehouseError, match="1 row appended, 1 still staged"):
            outbox.drain()
        assert seen_decisions(warehouse) == 1
    finally:
        init(warehouse)


def seen_decisions(warehouse):
    return warehouse.query("SELECT COUNT(*) AS n FROM nba_orchestration.v_workflow_decisions")[0]["n"]


def test_an_object_store_works_like_a_folder(warehouse):
    outbox = Outbox("memory://bucket/outbox", warehouse)
    outbox.append("workflow_decisions", outbox.stage([a_decision()]))
    outbox.stage([a_decision(decision_id="left")])
    assert outbox.stage([a_decision(decision_id="left")], unless_staged=True) == []
    assert outbox.drain().appended == 1
    assert seen(warehouse) == 2
    assert outbox.staged() == []


class Unreliable(Warehouse):
    """A warehouse with faults: it refuses everything, or accepts everything and reports a failure."""

    fault: str | None = None

    def append(self, table, rows):
        if self.fault == "down":
            raise WarehouseError("down")
        super().append(table, rows)
        if self.fault == "answer lost":
            raise WarehouseError("the answer was lost")


class OutboxMachine(RuleBasedStateMachine):
    """Tasks stage, append, retry and are killed. The cleanup drains. BigQuery fails and recovers."""

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

    @rule(count=st.integers(1, 160), appended=st.sampled_from(["by the callback", "never: killed"]))
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
            assert not list(Path(self.folder.name).rglob(f"*{HALF}"))

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
    [pytest.param(10, 2_000, id="2000 rows"), pytest.param(25, 5_000, id="5000 rows", marks=pytest.mark.drill)],
)
def test_random_faults_lose_no_row_and_double_none(google, examples, rows):
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


def refusing(*answers):
    """A warehouse with scripted errors. ``answers`` maps the rows of a request to an exception or None."""

    class Refusing(Warehouse):
        requests = 0

        def append(self, table, rows):
            self.requests += 1
            for answer in answers:
                if (error := answer(rows)) is not None:
                    raise error
            super().append(table, rows)

    return Refusing()


def stage_large(outbox, decision_id, text):
    """Stage a row that is larger than our own models allow."""
    [name] = outbox.stage([a_decision(decision_id=decision_id)])
    file = outbox.root / "workflow_decisions" / name
    file.write_text(json.dumps({**json.loads(file.read_text()), "reason": text}, ensure_ascii=False))
    return name


def too_large(limit):
    return lambda rows: AppendTooLarge("413") if len(json.dumps(list(rows))) > limit else None


def fails_for(*reasons):
    return lambda rows: AppendFailed("500") if any(row["reason"] in reasons for row in rows) else None


def test_many_large_rows_are_sent_in_requests_within_the_limit(outbox, warehouse):
    outbox.warehouse = refusing(lambda rows: pytest.fail("10 MB") if len(json.dumps(list(rows))) > 9_000_000 else None)
    outbox.append("workflow_decisions", [stage_large(outbox, str(n), "ü" * 5_000) for n in range(499)])
    assert outbox.staged() == []
    assert seen(warehouse) == 499
    assert outbox.warehouse.requests == 4  # 499 rows of 30 KB


def test_a_too_large_request_is_halved_and_a_too_large_row_is_set_aside(outbox, warehouse):
    outbox.warehouse = refusing(too_large(1_100_000))
    stage_large(outbox, "huge", "x" * 1_200_000)
    for number in range(30):
        stage_large(outbox, str(number), "x" * 100_000)
    drained = outbox.drain()
    assert (drained.appended, len(drained.refused)) == (30, 1)
    assert [path.name.split(".")[0] for path in outbox.refused()] == ["huge"]
    assert seen(warehouse) == 30


def test_a_single_row_that_is_too_large_is_set_aside(outbox, warehouse):
    outbox.warehouse = refusing(too_large(1_100_000))
    stage_large(outbox, "huge", "x" * 1_200_000)
    assert len(outbox.drain().refused) == 1


def test_no_row_is_set_aside_if_every_request_is_too_large(outbox, warehouse):
    outbox.warehouse = refusing(too_large(10))
    outbox.stage(a_decision(decision_id=str(n)) for n in range(5))
    with pytest.raises(WarehouseError, match="0 rows appended, 5 still staged"):
        outbox.drain()
    assert outbox.refused() == []


def test_a_row_that_causes_a_500_is_set_aside(outbox, warehouse):
    outbox.warehouse = refusing(fails_for("bad"))
    outbox.stage(a_decision(decision_id=str(n), reason="bad" if n in (3, 77) else "good") for n in range(100))
    drained = outbox.drain()
    assert (drained.appended, len(drained.refused)) == (98, 2)
    assert seen(warehouse) == 98
    assert sorted(path.name.split(".")[0] for path in outbox.refused()) == ["3", "77"]


def test_an_outage_of_500s_sets_no_row_aside_and_gives_up_soon(outbox, warehouse):
    outbox.warehouse = refusing(lambda _: AppendFailed("500"))
    outbox.stage(a_decision(decision_id=str(n)) for n in range(400))
    with pytest.raises(WarehouseError, match="0 rows appended, 400 still staged"):
        outbox.drain()
    assert outbox.refused() == []
    assert outbox.warehouse.requests <= 60


def test_an_outage_that_begins_between_rows_sets_no_row_aside(outbox, warehouse):
    answered = []

    def worked_once(rows):
        if len(rows) > 50 or answered:
            return AppendFailed("500")
        answered.append(len(rows))
        return None

    outbox.warehouse = refusing(worked_once)
    outbox.stage(a_decision(decision_id=str(n)) for n in range(64))
    with pytest.raises(WarehouseError, match="32 rows appended, 32 still staged"):
        outbox.drain()
    assert outbox.refused() == []
    outbox.warehouse = warehouse
    outbox.drain()
    assert seen(warehouse) == 64


def test_a_passing_500_sets_no_row_aside(outbox, warehouse):
    left = [3]

    def passing(rows):
        left[0] -= len(rows) == 1 or left[0] == 3
        return AppendFailed("500") if left[0] > 0 and "1" in {row["decision_id"] for row in rows} else None

    outbox.warehouse = refusing(passing)
    outbox.stage(a_decision(decision_id=str(n)) for n in range(4))
    outbox.drain()
    assert outbox.refused() == []
    assert seen(warehouse) == 4


def test_a_rejected_batch_does_not_block_other_batches(outbox, warehouse, monkeypatch):
    monkeypatch.setattr("orchestration.audit.outbox.BATCH", 3)
    outbox.warehouse = Poisoned()
    outbox.stage(a_decision(decision_id=f"a{n}", reason="bad") for n in range(3))
    outbox.stage(a_decision(decision_id=f"b{n}", reason="good") for n in range(3))
    with pytest.raises(WarehouseError, match="3 rows appended, 3 still staged"):
        outbox.drain()
    assert seen(warehouse) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, AppendRefused), (413, AppendTooLarge), (414, AppendRefused), (422, AppendRefused),
        (500, AppendFailed), (401, WarehouseError), (403, WarehouseError), (404, WarehouseError),
        (429, WarehouseError), (502, WarehouseError), (503, WarehouseError),
    ],
)  # fmt: skip
def test_each_status_of_bigquery_raises_its_error(status, kind, google, monkeypatch):
    service = FaultyService()
    FAULTS[str(status)] = http(f"{status} Odd", b'{"error": {"message": "odd"}}', "Content-Type: application/json")
    service.fault = str(status)
    monkeypatch.setattr("orchestration.audit.warehouse.APPEND_RETRY_SECONDS", 1)
    with service.serving():
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{service.port}")
        with pytest.raises(WarehouseError) as raised:
            Warehouse().append("workflow_decisions", [a_decision().to_json()])
    assert type(raised.value) is kind


def test_only_the_owner_can_read_the_outbox(outbox, warehouse):
    folder = Path(outbox.url.removeprefix("file://"))
    folder.mkdir()
    folder.chmod(0o755)
    before = os.umask(0)
    try:
        outbox.warehouse = Poisoned()
        outbox.stage([a_decision(decision_id="bad", reason="bad"), a_decision(decision_id="good")])
        outbox.stage([a_decision(decision_id="left")])
        outbox.append("workflow_decisions", [path.name for path in outbox.staged() if "left" not in path.name])
    finally:
        os.umask(before)
    modes = {path.is_dir(): set() for path in folder.rglob("*")}
    for path in [folder, *folder.rglob("*")]:
        modes[path.is_dir()].add(oct(path.stat().st_mode & 0o777))
    assert modes == {True: {"0o700"}, False: {"0o600"}}
    assert len(list(folder.rglob("*.error"))) == 1


@pytest.fixture
def unwritable(tmp_path, warehouse):
    """An outbox whose folder cannot be created, because a file has its name."""
    (tmp_path / "taken").write_text("")
    return Outbox(f"file://{tmp_path}/taken/outbox", warehouse)


def test_a_row_that_cannot_be_staged_is_appended_at_once_without_a_retry(unwritable, warehouse, caplog):
    assert unwritable.stage([a_decision(), a_decision(decision_id="another")]) == []
    assert seen(warehouse) == 2
    assert "cannot be written" in caplog.text
    # If the task is retried for another reason, there is still one row.
    unwritable.stage([a_decision()])
    assert seen(warehouse) == 2


def test_a_half_written_file_of_a_killed_writer_is_swept_later(outbox, warehouse):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, crash.__file__, "half written"], env=env, capture_output=True, check=False)
    [half] = (outbox.root / "workflow_decisions").iterdir()
    written_at = datetime.fromtimestamp(half.stat().st_mtime, UTC)
    assert (outbox.staged(), outbox.waiting()) == ([], (0, None))
    assert outbox.sweep(written_at - timedelta(seconds=1)) == 0
    assert outbox.sweep(written_at + timedelta(seconds=1)) == 1
    assert list((outbox.root / "workflow_decisions").iterdir()) == []


def test_a_full_disk_leaves_no_partial_row(outbox, warehouse, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(outbox_module, "_only_for_the_owner", full)
        patch.setattr(Outbox, "_folder", lambda self, table: self.root / table)
        (outbox.root / "workflow_decisions").mkdir(parents=True)
        assert outbox.stage([a_decision()]) == []
    assert list((outbox.root / "workflow_decisions").iterdir()) == []
    assert seen(warehouse) == 1


def test_a_row_that_disk_and_bigquery_refuse_fails_the_task_with_both_causes(unwritable):
    unwritable.warehouse = Unreliable()
    unwritable.warehouse.fault = "down"
    with pytest.raises(OSError, match=r"cannot be written \(.*\), and BigQuery takes no row: "):
        unwritable.stage([a_decision()])
