"""A senseless request fails one task at once; nothing is decided, called or counted."""

from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, DownstreamTasksSkipped

from orchestration.generator.dags import build_dags
from support.worlds import et, ours

DAGS = build_dags(ours())
NONSENSE = [{"force": True, "dryrun": True}, {"as_of": "yesterday"}, {"force": "false"}, {"games": "0022500123"}]


class TaskInstance(SimpleNamespace):
    """A task instance with the XComs of one run, shared by all its tasks."""

    def xcom_push(self, key, value):
        self.left[key] = value

    def xcom_pull(self, *, task_ids, key):
        return self.left.get(key)


def context(dag, task_id, conf, left):
    task = dag.get_task(task_id)
    params = {name: param.value for name, param in dag.params.items()} | conf
    dag_run = SimpleNamespace(
        run_id="r", run_type="manual", conf=conf, start_date=et("12:00"), run_after=et("12:00"), logical_date=None,
        triggering_user_name="me",
    )  # fmt: skip
    ti = TaskInstance(dag_id=dag.dag_id, run_id="r", task_id=task_id, map_index=-1, try_number=1, task=task, left=left)
    return {"ti": ti, "dag_run": dag_run, "params": params, "task": task, "dag": dag}


@pytest.mark.parametrize("conf", NONSENSE, ids=str)
@pytest.mark.parametrize("name", ["betting_lines", "post_game_window_1"])
def test_a_refused_request_fails_abort_only_and_finish_does_not_run(name, conf):
    dag, left = DAGS[name], {}
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        dag.get_task("decide").execute(context(dag, "decide", conf, left))
    assert {task_id for task_id, _ in skipped.value.tasks} == {"hold", "skip", "finish", "tell_tables"}
    assert (dag.get_task("decide").action, "decision" in left) == ("REFUSED", False)
    with pytest.raises(AirflowFailException, match="The parameters of this run are refused"):
        dag.get_task("abort").execute(context(dag, "abort", conf, left))


def test_a_conf_that_airflow_does_not_merge_into_the_parameters_is_checked_too():
    dag = DAGS["betting_lines"]
    asked = context(dag, "decide", {"dryrun": True}, {})
    asked["params"].pop("dryrun")
    with pytest.raises(DownstreamTasksSkipped):
        dag.get_task("decide").execute(asked)
    assert "did you mean `dry_run`" in dag.get_task("decide").reason


@pytest.mark.parametrize(
    ("name", "conf", "red", "skipped"),
    [
        ("schedule_locker", {"forced": True}, "lock", ()),
        ("cleanup", {"as_of": "yesterday"}, "watch", ("drain_outbox", "republish_lost_files", "tell_slates")),
        ("reconcile", {"day": 3}, "tell_open", ("find",)),
    ],
)
def test_the_dags_of_the_system_fail_one_task_only_for_a_refused_request(name, conf, red, skipped):
    dag = DAGS[name]
    with pytest.raises(AirflowFailException, match=r"did you mean|not a time with a zone"):
        dag.get_task(red).execute(context(dag, red, conf, {}))
    for task_id in skipped:
        with pytest.raises(AirflowSkipException):
            dag.get_task(task_id).execute(context(dag, task_id, conf, {}))
