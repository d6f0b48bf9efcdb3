"""Any configuration: either it is refused with its place, or Airflow builds, stores and parses every DAG of it."""

from __future__ import annotations

import copy
import json
import re
from datetime import date, datetime
from typing import Any

import pytest
import yaml
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestration.config import ConfigError, loads
from orchestration.generator.dags import build_dags
from orchestration.vocabulary.alerting import HOURS, NOTIFIER
from support.effort import examples
from support.worlds import ROOT

SCHEMA = json.loads((ROOT / "config" / "workflows.schema.json").read_text())
SCRAPERS = ("oddsa_events", "oddsa_player_props", "nbac_team_boxscore", "br_season_roster", "own_scraper")
FUZZ = settings(
    phases=[Phase.generate], derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)

WORDS = st.sampled_from(
    ["a", "own_scraper", "oddsa_events", "decide", "finish", "step_1", "late night", "a.b", "a..b", "ä", "<b>", "", " ",
     "x" * 101, "x" * 251, "x" * 10_001, "22:00", "06:30", "24:00", "2026-01-14", "null", "{{ target_date | ds }}",
     "{{ game.game_id }}", "{{ 'x' * 999999999 }}", "{% for a in b %}", "{{", "\u202e", "a\nb", "a, b", "nba_raw.t"]
)  # fmt: skip
NUMBERS = st.sampled_from(
    [0, 1, 2, -1, 5, 30, 60, 400, 10**6, 10**15, 10**30, -0.0, 0.5, 1e-300, 1e12, 1e308, float("inf"), float("nan")]
)
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), NUMBERS, WORDS, st.just([]), st.just({}), st.lists(WORDS, max_size=3),
    st.dictionaries(WORDS, NUMBERS, max_size=2), st.just(date(2026, 1, 14)), st.just(datetime(2026, 1, 14, 5)),
)  # fmt: skip


def from_schema(node: dict[str, Any] | bool) -> st.SearchStrategy[Any]:
    """Return what the JSON Schema allows, as it is written there; names of scrapers are some that exist."""
    if isinstance(node, bool):
        return ODD
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return PLANS if name == "ExecutionPlan" else st.deferred(lambda: from_schema(SCHEMA["$defs"][name]))
    for key in ("anyOf", "oneOf"):
        if key in node:
            return st.one_of([from_schema(one) for one in node[key]])
    if "const" in node:
        return st.just(node["const"])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    least = node.get("minimum", node.get("exclusiveMinimum", -(10**6)))
    most = node.get("maximum", node.get("exclusiveMaximum", 10**6))
    match node.get("type"):
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.sampled_from([least, least + 1, most, most - 1])
        case "number":
            return st.sampled_from([least, least + 0.5, most, float(most)])
        case "string" if node.get("pattern") == NOTIFIER:
            return st.sampled_from(["email", "slack", "a.b"])
        case "string" if node.get("pattern") == HOURS:
            return st.sampled_from(["22:00-07:00", "00:00-23:59", "6:30-6:30"])
        case "string" if "pattern" in node and "0-9]:" in node["pattern"]:
            return st.sampled_from(["00:00", "05:00", "6:30", "12:00", "22:00", "23:59"])
        case "string":
            return st.one_of(st.sampled_from(SCRAPERS), WORDS)
        case "array":
            return st.lists(from_schema(node.get("items", {})), min_size=node.get("minItems", 0), max_size=3)
        case "object" if "properties" in node:
            required = set(node.get("required", ()))
            fields = {key: from_schema(one) for key, one in node["properties"].items()}
            return st.fixed_dictionaries(
                {key: one for key, one in fields.items() if key in required},
                optional={key: one for key, one in fields.items() if key not in required},
            )
        case "object":
            values = node.get("additionalProperties", next(iter(node.get("patternProperties", {}).values()), {}))
            return st.dictionaries(WORDS, from_schema(values), max_size=2)
    return ODD


PLANS = st.one_of(
    st.fixed_dictionaries({"scrapers": st.lists(st.sampled_from(SCRAPERS), min_size=1, max_size=3, unique=True)}),
    st.dictionaries(
        st.sampled_from(["step_1", "step_2", "decide", "own_scraper", "a.b"]),
        st.fixed_dictionaries(
            {"scrapers": st.lists(st.sampled_from(SCRAPERS), min_size=1, max_size=2, unique=True)},
            optional={"type": st.sampled_from(["parallel", "sequential", "single"])},
        ),
        min_size=1,
        max_size=2,
    ),
)
WORKFLOWS = st.deferred(lambda: from_schema(next(iter(_values("workflows")))))
BASE: dict[str, Any] = {
    "version": "2.0",
    "scrapers": {name: {} for name in SCRAPERS} | {"own_scraper": {"for_each": "event", "calls_per_task": 7}},
    "workflows": {
        "window": {
            "decision_type": "game_aware_yesterday",
            "schedule": {"fixed_time": "22:00", "tolerance_minutes": 30},
            "execution_plan": {"scrapers": ["nbac_team_boxscore"]},
            "deadline_minutes": 30,
            "tags": ["one"],
            "halt": {"reason": "summer", "until": "2026-09-01"},
        },
        "lines": {
            "decision_type": "game_aware",
            "schedule": {"business_hours": {"start": 8, "end": 20}, "frequency_hours": 2},
            "execution_plan": {
                "step_1": {"scrapers": ["oddsa_events"]},
                "step_2": {"scrapers": ["oddsa_player_props", "own_scraper"], "depends_on": ["oddsa_events"]},
            },
        },
    },
    "settings": {"pools": {"odds": 4}, "retries": {"max_retries": 3}, "cleanup_processor": {"lookback_hours": 6}},
}


def _values(key: str) -> list[dict[str, Any]]:
    node = SCHEMA["properties"][key]
    return (
        [node["additionalProperties"]] if "additionalProperties" in node else list(node["patternProperties"].values())
    )


def _alike(value: Any) -> st.SearchStrategy[Any]:
    if isinstance(value, int):
        return st.integers(0, 60)
    return st.sampled_from(["22:00", "06:30", "oddsa_events", "2026-01-14"]) if isinstance(value, str) else ODD


@st.composite
def changed(draw: st.DrawFn) -> dict[str, Any]:
    """A small sound file in which one or two places hold something else: another value, or another key."""
    data = copy.deepcopy(BASE)
    for _ in range(draw(st.integers(1, 2))):
        here: Any = data
        while True:
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(here[key], dict | list) or not here[key] or draw(st.integers(0, 3)) == 0:
                if isinstance(here, dict) and draw(st.integers(0, 3)) == 0:
                    here[draw(WORDS)] = here.pop(key)
                else:
                    here[key] = draw(ODD if draw(st.booleans()) else _alike(here[key]))
                break
            here = here[key]
    return data


@st.composite
def whole(draw: st.DrawFn) -> dict[str, Any]:
    """A file whose scrapers, workflow and settings are what the schema allows."""
    scraper = from_schema(_values("scrapers")[0])
    data: dict[str, Any] = {"version": "1", "scrapers": {name: {} for name in SCRAPERS}}
    data["scrapers"]["own_scraper"] = {k: v for k, v in draw(scraper).items() if draw(st.booleans())}
    data["workflows"] = {draw(st.sampled_from(["one", "a.b", "late night"])): draw(WORKFLOWS)}
    if draw(st.booleans()):
        drawn = draw(from_schema({"$ref": "#/$defs/Settings"}))
        data["settings"] = {k: v for k, v in drawn.items() if draw(st.integers(0, 3)) == 0}
    return data


def stands(data: dict[str, Any]) -> bool | None:
    """Return that everything in it can be built and stored; None: it is refused; False: without saying where."""
    text = yaml.safe_dump(data, allow_unicode=True)
    try:
        config = loads(text, "w.yaml").config
    except ConfigError as error:
        placed = all(re.match(r"w\.yaml(:\d+:\d+)?: ", line) for line in str(error).splitlines())
        return None if placed else False
    failed: dict[str, Exception] = {}
    for dag in build_dags(config, failed=failed).values():
        dag.validate()
        dag.check_cycle()
        stored = DagSerialization.to_dict(dag)
        assert DagSerialization.from_dict(json.loads(json.dumps(stored))).dag_id == dag.dag_id
    assert failed == {}
    return True


@pytest.mark.fuzz
@pytest.mark.parametrize(("files", "count", "least"), [(changed, 60, 3), (whole, 100, 2)])
def test_a_random_file_is_refused_with_a_place_or_builds_every_dag(files, count, least):
    seen = []

    @given(files())
    @settings(FUZZ, max_examples=examples(count))
    def every(data):
        seen.append(stands(data))

    every()
    assert False not in seen, "an error without its file"
    assert seen.count(True) >= least
    assert seen.count(None) >= least


def parsed(path, monkeypatch, home) -> DagBag:
    monkeypatch.setenv("ORCHESTRATION_CONFIG", str(path))
    monkeypatch.setenv("AIRFLOW_HOME", str(home))
    return DagBag(str(ROOT / "dags"), safe_mode=False, known_pools=set(), bundle_path=ROOT / "dags", bundle_name="dags")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"tags": ["t" * 100], "owner": "Ann & Bob <b>", "contacts": ["\u202ex"], "deadline_minutes": 20160.0},
        {"deadline_minutes": 1e-300, "description": "# *x* {{ nothing }}\n<script>alert(1)</script>"},
        {"halt": {"reason": "x", "until": "9999-12-31"}, "enabled": False},
    ],
    ids=["base", "long", "small", "off"],
)
def test_a_file_that_loads_has_no_import_errors_in_airflow(change, tmp_path, monkeypatch):
    data = copy.deepcopy(BASE)
    data["workflows"]["window"].update(change)
    path = tmp_path / "workflows.yaml"
    path.write_text(yaml.safe_dump(data))
    assert stands(data)
    bag = parsed(path, monkeypatch, tmp_path)
    assert bag.import_errors == {}
    expected = {"window", "lines", "schedule_locker", "cleanup", "reconcile"}
    assert set(bag.dags) == (expected - {"window"} if change.get("enabled") is False else expected)
