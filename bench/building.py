"""make bench: the time to build DAGs: with our generator, by hand, with dag-factory, with airflow-blueprint.

All ways build the same tasks, operators, edges, mappings, schedule and trigger form. This is checked first. The number
is the CPU time from the file to the DAGs. The module written by hand is measured in its compiled form.
BENCH_COUNTS: numbers of workflows (15,100,1000).
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugins"), str(ROOT / "bench")]
# dag-factory would send telemetry.
os.environ |= {
    "AIRFLOW_HOME": tempfile.mkdtemp(prefix="bench-"),
    "DO_NOT_TRACK": "true",
    "AIRFLOW__DAG_FACTORY__ENABLE_TELEMETRY": "false",
}

import yaml
from airflow.sdk.definitions._internal.contextmanager import DagContext
from airflow.sdk.definitions.mappedoperator import MappedOperator
from figures import RUNS, keep, median

from orchestration.config import loads
from orchestration.generator.dags import build_dags

COUNTS = [int(count) for count in os.environ.get("BENCH_COUNTS", "15,100,1000").split(",")]
CALL = ("workflow", "scraper", "fan_out", "timeout_seconds", "deferrable", "execution_timeout", "retries")
CALL += ("retry_delay", "trigger_rule", "doc_md", "pool", "pool_slots")
ARGUMENTS = {
    "DecideOperator": ("workflow", "retries"),
    "HoldOperator": ("workflow",),
    "EmptyOperator": (),
    "AbortOperator": ("workflow",),
    "FinishOperator": ("workflow", "trigger_rule"),
    "DivideOperator": ("of", "size"),
    "ScrapeOperator": (*CALL, "map_index_template"),
    "ScrapeBatchOperator": (*CALL, "map_index_template", "at_once"),
}
"""The arguments of each operator that a person would write. Our DAGs also have callbacks, retry policy and deadline."""
Build = Callable[[], dict[str, Any]]


def file_of(count: int) -> str:
    """Return the text of a workflows.yaml with ``count`` workflows: copies of the shipped ones."""
    data = yaml.safe_load((ROOT / "config" / "workflows.yaml").read_text())
    shipped = dict(data["workflows"])
    names = list(shipped)
    for number in range(count - len(names)):
        name = names[number % len(names)]
        data["workflows"][f"{name}_{number}"] = deepcopy(shipped[name])
    return yaml.safe_dump(data)


def plain(value: Any) -> Any:
    """Return a value in its YAML form. A duration becomes seconds."""
    if isinstance(value, timedelta):
        return {"seconds": value.total_seconds()}
    return value.value if isinstance(value, Enum) else value


def description_of(dag: Any) -> dict[str, Any]:
    """Return the description of a DAG that the other ways start from."""
    tasks = {}
    for task in dag.topological_sort():
        mapped = isinstance(task, MappedOperator)
        operator = task.operator_class if mapped else type(task)
        given = task.partial_kwargs if mapped else {**vars(task), "trigger_rule": task.trigger_rule}
        arguments = {name: plain(given[name]) for name in ARGUMENTS[operator.__name__] if given.get(name) is not None}
        over = None
        if mapped:
            over = task._get_specified_expand_input().value["item"]
            over = over if isinstance(over, list) else over.operator.task_id
        tasks[task.task_id] = {
            "operator": f"{operator.__module__}.{operator.__name__}",
            "arguments": arguments,
            "over": over,
            "after": sorted(task.upstream_task_ids),
            "group": task.task_group.group_id if task.task_group else None,
        }
    form = {
        name: {"default": param.value, "description": param.description, **param.schema}
        for name, param in dag.params.items()
    }
    return {
        "description": dag.description,
        "doc_md": dag.doc_md,
        "tags": sorted(dag.tags),
        "crons": [cron.expression for cron in dag.timetable.timetables],
        "owner": dag.default_args["owner"],
        "form": form,
        "tasks": tasks,
    }


def written_by_hand(descriptions: dict[str, Any]) -> str:
    """Return the source of a module with these DAGs, written as by hand."""
    imports = {task["operator"] for one in descriptions.values() for task in one["tasks"].values()}
    lines = ["from datetime import UTC, datetime, timedelta"]
    lines += ["from airflow.sdk import DAG, MultipleCronTriggerTimetable, Param, TaskGroup"]
    lines += [f"from {module} import {name}" for module, name in (path.rsplit(".", 1) for path in sorted(imports))]
    for dag_id, one in descriptions.items():
        form = ", ".join(
            f"{name!r}: Param({', '.join(f'{key}={value!r}' for key, value in param.items())})"
            for name, param in one["form"].items()
        )
        lines += [
            f"with DAG({dag_id!r}, schedule=MultipleCronTriggerTimetable({', '.join(map(repr, one['crons']))}, "
            "timezone='America/New_York'), start_date=datetime(2020, 1, 1, tzinfo=UTC), catchup=False, "
            f"max_active_runs=1, tags={one['tags']!r}, description={one['description']!r}, doc_md={one['doc_md']!r}, "
            f"default_args={{'owner': {one['owner']!r}}}, params={{{form}}}) as dag:"
        ]
        groups: set[str] = set()
        for task_id, task in one["tasks"].items():
            given = [f"task_id={task_id!r}"]
            for name, value in task["arguments"].items():
                given.append(f"{name}=timedelta(**{value!r})" if isinstance(value, dict) else f"{name}={value!r}")
            operator, over = task["operator"].rsplit(".", 1)[1], task["over"]
            call = f"{operator}({', '.join(given)})"
            if over is not None:
                items = f"{over}.output" if isinstance(over, str) else repr(over)
                call = f"{operator}.partial({', '.join(given)}).expand(item={items})"
            if (group := task["group"]) and group not in groups:
                groups.add(group)
                lines.append(f"    group_{group} = TaskGroup({group!r}, prefix_group_id=False)")
            lines += (
                [f"    with group_{group}:", f"        {task_id} = {call}"] if group else [f"    {task_id} = {call}"]
            )
        for task_id, task in one["tasks"].items():
            if task["after"]:
                lines.append(f"    [{', '.join(task['after'])}] >> {task_id}")
        lines.append(f"DAGS[{dag_id!r}] = dag")
    return "\n".join(lines)


def by_hand(descriptions: dict[str, Any], folder: Path) -> Build:
    """Return the build of the module written by hand."""
    path = folder / "by_hand.py"
    path.write_text(written_by_hand(descriptions))
    code = compile(path.read_text(), str(path), "exec")

    def build() -> dict[str, Any]:
        dags: dict[str, Any] = {}
        exec(code, {"DAGS": dags, "__name__": "by_hand"})  # noqa: S102 - a DAG file, as Airflow loads it
        return dags

    return build


def typed(value: Any) -> Any:
    """Return an argument in the form of dag-factory, which turns entries with a type into objects."""
    return {"__type__": "datetime.timedelta", **value} if isinstance(value, dict) else value


def with_dag_factory(descriptions: dict[str, Any], folder: Path) -> Build:
    """Return the build with dag-factory from one file."""
    from dagfactory import load_yaml_dags

    dags = {}
    for dag_id, one in descriptions.items():
        tasks = {}
        for task_id, task in one["tasks"].items():
            over = task["over"]
            tasks[task_id] = {
                "operator": task["operator"],
                "dependencies": task["after"],
                **{name: typed(value) for name, value in task["arguments"].items()},
            }
            if over is not None:
                tasks[task_id]["expand"] = {"item": f"{over}.output" if isinstance(over, str) else over}
        dags[dag_id] = {
            "schedule": {
                "__type__": "airflow.sdk.MultipleCronTriggerTimetable",
                "__args__": one["crons"],
                "timezone": "America/New_York",
            },
            "start_date": "2020-01-01",
            "catchup": False,
            "max_active_runs": 1,
            "tags": one["tags"],
            "description": one["description"],
            "doc_md": one["doc_md"],
            "default_args": {"owner": one["owner"]},
            "params": {name: {"__type__": "airflow.sdk.Param", **param} for name, param in one["form"].items()},
            "tasks": tasks,
        }
    path = folder / "dag_factory.yaml"
    path.write_text(yaml.dump(dags, Dumper=NoAliases))

    def build() -> dict[str, Any]:
        found: dict[str, Any] = {}
        load_yaml_dags(found, config_filepath=str(path), defaults_config_path=str(folder))
        return found

    return build


class NoAliases(yaml.SafeDumper):
    """A YAML dumper without anchors, as a person writes."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return True: write every value in full."""
        return True


BLUEPRINTS = """
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any
from airflow.sdk import MultipleCronTriggerTimetable
from airflow.sdk.definitions._internal.contextmanager import DagContext
from blueprint import BaseModel, Blueprint, BlueprintDagArgs


class StepConfig(BaseModel):
    operator: str
    workflow: str | None = None
    scraper: str | None = None
    fan_out: str | None = None
    timeout_seconds: float | None = None
    deferrable: bool | None = None
    execution_timeout: float | None = None
    retries: int | None = None
    retry_delay: float | None = None
    trigger_rule: str | None = None
    doc_md: str | None = None
    pool: str | None = None
    pool_slots: int | None = None
    map_index_template: str | None = None
    at_once: int | None = None
    of: str | None = None
    size: int | None = None
    over_task: str | None = None
    over_texts: list[str] | None = None
    over_lists: list[list[str]] | None = None


DURATIONS = ("execution_timeout", "retry_delay")
NOT_THE_OPERATORS = {"operator", "over_task", "over_texts", "over_lists"}


class Step(Blueprint[StepConfig]):
    def render(self, config: StepConfig):
        module, name = config.operator.rsplit(".", 1)
        operator = getattr(import_module(module), name)
        given = config.model_dump(exclude_none=True, exclude=NOT_THE_OPERATORS)
        given |= {key: timedelta(seconds=given[key]) for key in DURATIONS if key in given}
        items = config.over_texts or config.over_lists
        if config.over_task:
            items = DagContext.get_current_dag().task_dict[config.over_task].output
        if items is None:
            return operator(task_id=self.step_id, **given)
        return operator.partial(task_id=self.step_id, **given).expand(item=items)


class OursConfig(BaseModel):
    crons: list[str]
    owner: str
    tags: list[str]
    description: str
    doc_md: str


class Ours(BlueprintDagArgs[OursConfig]):
    def render(self, config: OursConfig) -> dict[str, Any]:
        return dict(
            schedule=MultipleCronTriggerTimetable(*config.crons, timezone="America/New_York"),
            start_date=datetime(2020, 1, 1, tzinfo=UTC), catchup=False, max_active_runs=1, tags=config.tags,
            description=config.description, doc_md=config.doc_md, default_args={"owner": config.owner},
        )
"""


def with_blueprint(descriptions: dict[str, Any], folder: Path) -> Build:
    """Return the build with airflow-blueprint from one file per DAG.

    airflow-blueprint has no key for parameters of a DAG. They are added to the finished DAG, as its documentation
    recommends.
    """
    from airflow.sdk import Param
    from blueprint import build_all_airflow_dags

    home = folder / "blueprint"
    home.mkdir()
    (home / "steps.py").write_text(BLUEPRINTS)
    for dag_id, one in descriptions.items():
        steps = {}
        for task_id, task in one["tasks"].items():
            arguments = {
                name: value["seconds"] if isinstance(value, dict) else value
                for name, value in task["arguments"].items()
            }
            over = task["over"]
            if over is not None:
                kind = (
                    "over_task" if isinstance(over, str) else "over_texts" if isinstance(over[0], str) else "over_lists"
                )
                arguments[kind] = over
            steps[task_id] = {
                "blueprint": "step",
                "depends_on": task["after"],
                "operator": task["operator"],
                **arguments,
            }
        about = {key: one[key] for key in ("crons", "owner", "tags", "description", "doc_md")}
        text = yaml.dump({"dag_id": dag_id, **about, "steps": steps}, Dumper=NoAliases, sort_keys=False)
        (home / f"{dag_id}.dag.yaml").write_text(text)

    def build() -> dict[str, Any]:
        found: dict[str, Any] = {}

        def form(dag: Any, _: Path) -> None:
            params = descriptions[dag.dag_id]["form"]
            dag.params.update({name: Param(**param) for name, param in params.items()})

        build_all_airflow_dags(home, found, render_templates=False, on_dag_built=form, discover_entry_points=False)
        return found

    return build


def shape(dags: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of the DAGs that must be equal: tasks, operators, edges, mappings, schedule and trigger form."""
    return {
        dag.dag_id: (
            {
                task.task_id: (task.task_type, sorted(task.upstream_task_ids), isinstance(task, MappedOperator))
                for task in dag.tasks
            },
            [cron.expression for cron in dag.timetable.timetables],
            sorted((name, param.value, json.dumps(param.schema, sort_keys=True)) for name, param in dag.params.items()),
        )
        for dag in dags.values()
    }


def compare(count: int) -> dict[str, Any]:
    """Return the CPU seconds of each way for ``count`` workflows, and their ratio to ours."""
    text = file_of(count)
    config = loads(text).config
    names = list(config.enabled)
    expected = {name: dag for name, dag in build_dags(config).items() if name in names}
    descriptions = {name: description_of(dag) for name, dag in expected.items()}
    with tempfile.TemporaryDirectory() as folder:
        makers = {"by hand": by_hand, "dag-factory": with_dag_factory, "airflow-blueprint": with_blueprint}
        ways: dict[str, Build] = {"ours": lambda: build_dags(loads(text).config)}
        failed = {}
        for name, make in makers.items():
            try:
                ways[name] = make(descriptions, Path(folder))
                built = shape(ways[name]())
            except Exception as error:
                failed[name] = f"{type(error).__name__}: {error}"
                ways.pop(name, None)
                continue
            if built != shape(expected):
                raise RuntimeError(f"{name} built DAGs that differ from ours")
        ways["ours, without reading the file"] = lambda: build_dags(config)
        taken: dict[str, list[float]] = {name: [] for name in ways}
        # The ways take turns, so that other work on the machine affects all of them.
        for _ in range(RUNS):
            for name, build in ways.items():
                DagContext.autoregistered_dags.clear()
                gc.collect()
                start = time.process_time()
                build()
                taken[name].append(time.process_time() - start)
    seconds = {name: median(values) for name, values in taken.items()}
    ratios = {name: round(value / seconds["ours"], 2) for name, value in seconds.items()}
    return {
        "workflows": len(descriptions),
        "tasks": sum(len(one["tasks"]) for one in descriptions.values()),
        "cpu_seconds": seconds,
        "times_ours": ratios,
        **({"failed": failed} if failed else {}),
    }


def main() -> None:
    """Compare the ways for each number of workflows."""
    logging.disable(logging.WARNING)
    packages = {name: version(name) for name in ("dag-factory", "airflow-blueprint")}
    keep({"packages": packages, "runs": RUNS, "counts": {str(count): compare(count) for count in COUNTS}})


if __name__ == "__main__":
    main()
