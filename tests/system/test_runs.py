"""The calls of a workflow's DAG on a real Airflow: deferred, blocking, killed, cleared, vetoed or empty."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
import yaml

from support.live import AS_OF, Live, configuration, live_airflow
from support.scripted import found
from support.standins import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory):
    with live_airflow(Path(tmp_path_factory.mktemp("runs"))) as running:
        yield running


def kill_who_asks(*, only_first: bool):
    """Kill the calling task with SIGKILL: the process at the other end of the connection."""

    def answer(request: dict, number: int):
        if number == 1 or not only_first:
            for process in psutil.process_iter(["cmdline"]):
                if " ".join(process.info["cmdline"] or ()).startswith("airflow worker -- ") and any(
                    c.raddr and c.raddr.port == kill_who_asks.port for c in process.net_connections("tcp")
                ):
                    process.kill()
        return found()

    return answer


@pytest.fixture(scope="module")
def calls_run(live: Live) -> str:
    """One run with a deferred call, a late call, and two calls whose processes are killed."""
    kill_who_asks.port = live.service.port
    live.service.script(
        deferred=lambda *_: found(gcs_path="gs://bucket/a/file 1.json"),
        late=lambda *_: (live.service.stopping.wait(5), found(7))[1],
        killed_once=kill_who_asks(only_first=True),
        killed=kill_who_asks(only_first=False),
    )
    return live.run("calls", scrapers=None)


def test_a_deferred_call_has_one_row_and_waits_in_the_triggerer(live, calls_run):
    [row] = live.calls(calls_run, "deferred")
    assert (row["status"], row["record_count"], row["try_number"], row["retry_count"]) == ("success", 1, 1, 0)
    assert "Pausing task as DEFERRED" in live.log("calls", calls_run, "deferred")


@pytest.mark.lesson("E8")
def test_a_call_beyond_its_timeout_fails_and_its_late_success_does_not_count(live, calls_run):
    [row] = live.calls(calls_run, "late")
    assert (row["status"], row["error_type"], row["record_count"]) == ("failed", "timeout", None)
    assert row["error_message"] == "no complete answer within 1 s"


@pytest.mark.lesson("E3")
def test_every_try_of_a_killed_call_has_its_row(live, calls_run):
    first, second = live.calls(calls_run, "killed_once")
    assert (first["try_number"], first["status"], first["error_type"]) == (1, "failed", "killed")
    assert (second["try_number"], second["status"], second["error_type"]) == (2, "success", None)
    [only] = live.calls(calls_run, "killed")
    assert (only["try_number"], only["status"], only["error_type"], only["label"]) == (1, "failed", "killed", "killed")


@pytest.mark.lesson("K7")
def test_the_execution_counts_all_calls(live, calls_run):
    row = live.execution("calls", calls_run)
    assert (row["scrapers_triggered"], row["scrapers_succeeded"], row["scrapers_failed"]) == (4, 2, 2)
    assert row["status"] == "partial"
    assert len(row["scraper_execution_ids"]) == 4
    assert "late: timeout" in row["error_message"]
    assert "killed: killed" in row["error_message"]


def links(live: Live, run: str, task: str) -> dict[str, str]:
    found = live.api.get(f"dags/calls/dagRuns/{run}/taskInstances/{task}/links", map_index=-1)
    return found["extra_links"]


def test_a_call_links_to_its_log_rows_for_each_try(live, calls_run):
    page = live.api.session.get(links(live, calls_run, "killed_once")["Log row"], timeout=PATIENCE_SECONDS)
    assert page.status_code == 200
    assert page.text.index("Try 2:") < page.text.index("Try 1:")
    for text in ("killed_once", "success", "failed", "tick of Wed 14 Jan 2026 10:00:00 ET"):
        assert text in page.text


def test_a_call_links_to_its_file(live, calls_run):
    def follow(task):
        return live.api.session.get(
            links(live, calls_run, task)["File"], allow_redirects=False, timeout=PATIENCE_SECONDS
        )

    console = "https://console.cloud.google.com/storage/browser/_details/bucket/a/file%201.json"
    assert follow("deferred").headers["Location"] == console
    assert follow("late").status_code == 404
    assert "late has no file: no complete answer within 1 s" in follow("late").text


def test_the_audit_names_the_user_of_a_manual_run(live):
    body = {"logical_date": None, "conf": {"dry_run": True, "force": True, "reason": "checking"}}
    reply = live.api.session.post(
        f"{live.stack.url}/api/v2/dags/cleared/dagRuns", json=body, timeout=PATIENCE_SECONDS
    ).json()
    live.await_run("cleared", reply["dag_run_id"])
    [decision] = live.rows("v_workflow_decisions", "decision_time", reply["dag_run_id"])
    assert decision["triggered_by"] == f"manual:{reply['triggering_user_name']}"
    assert decision["action"] == "RUN"
    assert "checking" in decision["reason"]


def test_an_empty_list_of_events_skips_with_a_reason(live):
    live.service.script(events=lambda *_: found(0, event_ids=[]))
    run = live.run("fan_out", AS_OF + timedelta(minutes=1))
    skipped = live.instances("fan_out", run)["props", 0]
    assert (skipped["state"], skipped["rendered_map_index"]) == ("skipped", "no event")
    assert "props is called for each event, and there is none" in live.log("fan_out", run, "props", 0)
    assert (live.execution("fan_out", run)["status"], live.execution("fan_out", run)["scrapers_triggered"]) == (
        "completed",
        1,
    )


def test_each_event_has_one_call_and_a_failed_one_stops_no_other(live):
    wrong = "event-3"
    live.service.script(
        events=lambda *_: found(5, event_ids=[f"event-{n}" for n in range(5)]),
        props=lambda request, _: (400, {"error": "no such event"}) if request["event_id"] == wrong else found(),
    )
    run = live.run("fan_out", AS_OF + timedelta(minutes=2))
    rows = live.calls(run, "props")
    assert {row["label"]: row["status"] for row in rows} == {
        f"props event-{n}": "failed" if f"event-{n}" == wrong else "success" for n in range(5)
    }
    assert live.execution("fan_out", run)["status"] == "partial"
    assert live.execution("fan_out", run)["error_message"] == "props event-3: bad_request"
    named = {one["rendered_map_index"] for (task, _), one in live.instances("fan_out", run).items() if task == "props"}
    assert named == {f"event-{n}" for n in range(5)}


def test_scrapers_with_a_common_prefix_are_counted_separately(live):
    live.service.script(
        events=lambda *_: found(3, event_ids=[f"event-{n}" for n in range(3)]),
        props_1=lambda *_: (400, {"error": "no such season"}),
    )
    run = live.run("named_alike", AS_OF + timedelta(minutes=8))
    row = live.execution("named_alike", run)
    assert (row["scrapers_triggered"], row["scrapers_failed"]) == (5, 1)
    assert row["error_message"] == "props_1: bad_request"


class Batches:
    """One run with ten calls in three tasks, two at a time, and four calls in a task that is killed in its last try."""

    events = [f"event-{n}" for n in range(10)]  # noqa: RUF012

    def __init__(self, live: Live) -> None:
        self.live, at = live, AS_OF + timedelta(minutes=20)
        self.run = f"replay__{at.isoformat()}"
        kill_who_asks.port = live.service.port
        self.kill = kill_who_asks(only_first=False)
        live.service.script(
            events=lambda *_: found(10, event_ids=self.events),
            batch=self.killing("batch", tries=1),
            batch_killed=self.killing("batch_killed", tries=1),
        )
        live.run("batches", at)
        self.asked = [
            (request["scraper"], request["event_id"]) for request in live.service.asked if "event_id" in request
        ]

    def killing(self, task: str, tries: int):
        """An answer that kills the first task while one call is recorded, one is in progress and one begins."""

        def answer(request: dict, _: int):
            times = self.live.service.asked.count(request)
            if times <= tries and request["event_id"] == "event-1":
                self.live.service.stopping.wait(PATIENCE_SECONDS)
            if times <= tries and request["event_id"] == "event-2":
                self.live.wait(lambda: self.noted(task), "the first call to be noted")
                self.kill(request, 1)
            return found(event=request["event_id"])

        return answer

    def noted(self, task: str) -> bool:
        path = f"dags/batches/dagRuns/{self.run}/taskInstances/{task}/xcomEntries/outcome"
        reply = self.live.api.session.get(
            f"{self.live.stack.url}/api/v2/{path}", params={"map_index": 0}, timeout=PATIENCE_SECONDS
        )
        return reply.ok and "success" in json.dumps(reply.json()["value"])

    def tries(self, scraper: str) -> list[tuple]:
        rows = [row for row in self.live.calls(self.run, scraper) if row["map_index"] == 0]
        return sorted((row["label"], row["try_number"], row["error_type"] or row["status"]) for row in rows)


@pytest.fixture(scope="module")
def batches(live: Live) -> Batches:
    return Batches(live)


@pytest.mark.lesson("E3")
def test_a_killed_task_of_several_calls_loses_none_and_repeats_no_recorded_call(live, batches):
    of = {event: batches.asked.count(("batch", event)) for event in batches.events}
    assert of == {event: 2 if event in ("event-1", "event-2") else 1 for event in batches.events}
    assert batches.tries("batch") == [
        ("batch event-0", 1, "success"),
        *((f"batch event-{n}", number, what) for n in (1, 2, 3) for number, what in ((1, "killed"), (2, "success"))),
    ]
    rows = live.calls(batches.run, "batch")
    assert {(row["map_index"], row["call_index"]) for row in rows} == {(n // 4, n % 4) for n in range(10)}
    assert len({row["row_id"] for row in rows}) == len(rows) == 10 + 3


def test_finish_reports_calls_that_the_last_try_did_not_make(live, batches):
    assert batches.tries("batch_killed")[:4] == [
        ("batch_killed event-0", 1, "success"), *((f"batch_killed event-{n}", 1, "killed") for n in (1, 2, 3)),
    ]  # fmt: skip
    row = live.execution("batches", batches.run)
    assert (row["status"], row["scrapers_triggered"], row["scrapers_failed"]) == ("partial", 1 + 10 + 10, 3)
    assert row["error_message"] == "3 calls of batch_killed: killed"
    assert len(set(row["scraper_execution_ids"])) == 21


def test_airflow_lists_the_calls_of_a_task_with_links_to_their_rows(live, batches):
    instance = live.instances("batches", batches.run)["batch", 1]
    assert instance["rendered_map_index"] == "event-4 … event-7 (4)"
    assert instance["pool_slots"] == 2
    shown = instance["rendered_fields"]["outcomes"]
    assert shown == {f"batch event-{n}": "success" for n in range(4, 8)}
    path = f"dags/batches/dagRuns/{batches.run}/taskInstances/batch/links"
    links = live.api.get(path, map_index=0)["extra_links"]
    page = live.api.session.get(links["Log row"], timeout=PATIENCE_SECONDS)
    assert page.status_code == 200
    assert "batch: 4 calls of one task" in page.text
    one = live.api.session.get(f"{links['Log row']}&call_index=3", timeout=PATIENCE_SECONDS).text
    assert one.index("Try 2:") < one.index("Try 1:")
    assert "batch event-3" in one
    assert "batch event-2" not in one


def test_a_cleared_task_of_several_calls_repeats_all_calls(live, batches):
    live.service.script(batch=lambda *_: found(2))
    body = {"dag_run_id": batches.run, "task_ids": [["batch", 0]], "include_downstream": True, "dry_run": False}
    live.api.post("dags/batches/clearTaskInstances", {**body, "only_failed": False})
    live.await_run("batches", batches.run)
    assert sorted(request["event_id"] for request in live.service.asked) == [f"event-{n}" for n in range(4)]
    last = [row for row in live.calls(batches.run, "batch") if row["map_index"] == 0 and row["try_number"] == 3]
    assert [row["record_count"] for row in last] == [2] * 4
    assert live.execution("batches", batches.run)["scrapers_triggered"] == 21


def test_a_cleared_call_makes_a_new_row_and_a_corrected_execution(live):
    live.service.script(once_wrong=lambda _, number: (400, {"error": "not yet"}) if number == 1 else found(3))
    run = live.run("cleared", AS_OF + timedelta(minutes=3))
    assert live.execution("cleared", run)["status"] == "failed"
    body = {"dag_run_id": run, "task_ids": ["once_wrong"], "include_downstream": True, "dry_run": False}
    body["only_failed"] = False
    live.api.post("dags/cleared/clearTaskInstances", body)
    live.await_run("cleared", run)
    assert [(row["try_number"], row["status"]) for row in live.calls(run, "once_wrong")] == [
        (1, "failed"),
        (2, "success"),
    ]
    corrected = live.execution("cleared", run)
    assert (corrected["status"], corrected["scrapers_succeeded"], corrected["error_message"]) == ("completed", 1, None)


def test_a_failed_execution_is_alerted_once_a_day_with_a_link_to_its_run(live):
    live.service.script(once_wrong=lambda *_: (403, {"error": "go away"}))
    before = len(live.box.mails)
    first, _ = (live.run("cleared", AS_OF + timedelta(days=1, minutes=n)) for n in (4, 5))
    [mail] = live.box.mails[before:]
    text = mail.get_body().get_content()
    assert mail["Subject"].startswith("WARNING: cleared failed at 10:04 ET")
    assert "Thu 15 Jan 2026 10:04 ET" in text
    assert ": once_wrong: blocked" in text
    assert f"Run: {live.stack.url}/dags/cleared/runs/{quote(first, safe='')}" in text
    assert "Next: bin/orchestration/investigate_scraper_failures.sh --date 2026-01-15 --days 1" in text


def test_a_missed_deadline_is_alerted_while_the_run_still_hangs_and_is_recorded(live):
    let_go = threading.Event()
    live.service.script(slow=lambda *_: (let_go.wait(PATIENCE_SECONDS), found(2))[1])
    before = len(live.box.posts)
    run = live.api.trigger("overdue", AS_OF, force=True)
    try:
        live.wait(lambda: len(live.box.posts) > before, "the alert")
        assert live.state("overdue", run) == "running"
        live.wait(lambda: live.executions("overdue", run), "its row")
        late = live.execution("overdue", run)
    finally:
        let_go.set()
    assert (late["status"], late["deadline_missed"], late["scrapers_triggered"]) == ("failed", True, 0)
    assert late["error_message"] == "Deadline missed: not over 0.1 min after it was queued"
    [(_, post)] = live.box.posts[before:]
    assert post["text"].startswith("*WARNING: Deadline missed: the run of overdue at 10:00 ET")
    assert "Deadline missed: the run of overdue at 10:00 ET was not over 0.1 min after it was queued" in post["text"]
    live.await_run("overdue", run)
    over = live.execution("overdue", run)
    assert (over["status"], over["deadline_missed"], over["scrapers_succeeded"]) == ("completed", True, 1)
    assert over["decision_id"] == late["decision_id"]


def test_a_second_missed_deadline_of_the_day_is_recorded_without_an_alert(live):
    let_go = threading.Event()
    live.service.script(slow=lambda *_: (let_go.wait(PATIENCE_SECONDS), found(2))[1])
    before = len(live.box.posts)
    run = live.api.trigger("overdue", AS_OF + timedelta(minutes=10), force=True)
    try:
        live.wait(lambda: live.executions("overdue", run), "its row")
        assert live.execution("overdue", run)["deadline_missed"] is True
    finally:
        let_go.set()
    live.await_run("overdue", run)
    assert live.box.posts[before:] == []


def test_a_person_can_veto_a_held_run_and_the_audit_names_person_and_reason(live):
    def held() -> list[str]:
        path = "dags/held/dagRuns/~/taskInstances"
        return [i["dag_run_id"] for i in live.api.get(path, state="awaiting_input")["task_instances"]]

    config = live.stack.home / "workflows.yaml"
    # The tick of the new DAG has just passed. Airflow starts it after reading the file, and holds it for half an hour.
    config.write_text(yaml.safe_dump(configuration(datetime.now(UTC) - timedelta(minutes=1))))
    live.api.await_dags(["held"], PATIENCE_SECONDS)
    live.wait(held, "a scheduled run to be held")
    [run] = held()
    url = f"{live.stack.url}/api/v2/dags/held/dagRuns/{run}/taskInstances/hold/-1/hitlDetails"
    asked = live.api.session.get(url, timeout=PATIENCE_SECONDS).json()
    assert "unless a person vetoes it" in asked["subject"], asked
    body = {"chosen_options": ["Veto"], "params_input": {"veto_reason": "source is down"}}
    users = []

    def seen() -> bool:
        """Return whether the scheduler has seen this try pause. Before that an answer would fail the task."""
        found = live.api.get(f"dags/held/dagRuns/{run}/taskInstances")["task_instances"]
        [number] = [one["try_number"] for one in found if one["task_id"] == "hold"]
        task = f"TaskInstanceKey(dag_id='held', task_id='hold', run_id='{run}', try_number={number},"
        log = (live.stack.home / "scheduler.log").read_text()
        _, ended, after = log.partition(f"state success for task instance {task}")
        return bool(ended) and "TaskInstance Finished: dag_id=held, task_id=hold" in after

    def over() -> bool:
        # If Airflow still takes the answer for a failure, it asks again.
        if live.state("held", run) in ("success", "failed"):
            return True
        if held() and seen() and live.api.session.get(url, timeout=PATIENCE_SECONDS).json()["responded_at"] is None:
            users.append(
                live.api.session.patch(url, json=body, timeout=PATIENCE_SECONDS).json()["responded_by"]["name"]
            )
        return False

    live.wait(over, "the run to end")
    live.await_run("held", run)
    user = users[-1]
    row = live.execution("held", run)
    assert (row["status"], row["scrapers_triggered"]) == ("failed", 0)
    assert row["error_message"].startswith(f"Vetoed by {user} at ")
    assert row["error_message"].endswith(" ET: source is down")
    assert live.state("held", run) == "failed"
