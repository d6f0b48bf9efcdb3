"""The page, the Prometheus mapping, the alert rules and the dashboard use only existing metrics."""

import json
import re
import shlex
import shutil
import subprocess

import promql_parser
import pytest
import yaml
from airflow.cli.cli_parser import get_parser

from orchestration.operators.metrics import ALL, Counter, Gauge, Timer
from support.command_line import parse
from support.worlds import ROOT

PAGE = (ROOT / "docs" / "orchestration" / "11-metrics.md").read_text()
MAPPINGS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "statsd-mapping.yaml").read_text())["mappings"]
GROUPS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"] if "alert" in rule]
RECORDED = [rule for group in GROUPS for rule in group["rules"] if "record" in rule]
ROUTES = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alertmanager.yaml").read_text())
BOARD = json.loads((ROOT / "deploy" / "grafana" / "orchestration.json").read_text())
KINDS = {Counter: "counter", Gauge: "gauge", Timer: "timer"}
EXPRESSIONS = [rule["expr"] for rule in (*RULES, *RECORDED)] + [
    t["expr"] for panel in BOARD["panels"] for t in panel["targets"]
]


def mapped(metric):
    """Return the metric's name in Prometheus: statsd_exporter uses the first mapping that fits."""
    for mapping in MAPPINGS:
        pattern = re.escape(mapping["match"]).replace(r"\*", "([^.]*)")
        kind = mapping.get("match_metric_type")
        if (found := re.fullmatch(pattern, f"airflow.{metric.name}")) and kind in (None, KINDS[type(metric)]):
            return mapping["name"].replace("$1", found[1] if found.groups() else "")
    raise AssertionError(f"no mapping for {metric.name}")


def in_prometheus():
    """Yield the name and labels of each of our series in Prometheus."""
    for metric in ALL:
        name, labels = mapped(metric), set(metric.tags)
        if isinstance(metric, Timer):
            yield from ((f"{name}_{part}", labels) for part in ("sum", "count"))
            yield f"{name}_bucket", {*labels, "le"}
        else:
            yield name, labels


OF_AIRFLOW = {"airflow_scheduler_heartbeat": set()}
"""Airflow's own metrics, which need no mapping."""
COUNTED = {
    "orchestration:decisions:3h": {"workflow", "action"},
    "orchestration:calls:3h": {"scraper", "outcome"},
}
"""The labels of the series that our own rules record."""
SERIES = {**dict(in_prometheus()), **OF_AIRFLOW, **COUNTED}


def parts(node):
    """Yield every part of a parsed expression."""
    yield node
    for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
        if (inner := getattr(node, name, None)) is not None:
            yield from parts(inner)
    for inner in getattr(node, "args", None) or ():
        yield from parts(inner)


def asked_for(expression):
    """Return the series and the labels that an expression uses."""
    names, labels = set(), set()
    for part in parts(promql_parser.parse(expression)):
        if isinstance(part, promql_parser.VectorSelector):
            names.add(part.name)
            labels |= {matcher.name for matcher in part.matchers.matchers}
        if isinstance(part, promql_parser.AggregateExpr) and part.modifier is not None:
            labels |= set(part.modifier.labels)
    return names, labels


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_every_metric_is_on_the_page_with_its_type_and_tags(metric):
    tags = ", ".join(f"`{tag}`" for tag in metric.tags)
    row = f"| `airflow.{metric.name}` | {KINDS[type(metric)]} | {tags + ' ' if tags else ''}|"
    assert row in PAGE


def test_the_page_has_no_unknown_metric():
    assert len(re.findall(r"^\| `airflow\.orchestration\.", PAGE, re.M)) == len(ALL)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_expression_is_promql_with_existing_metrics(expression):
    names, labels = asked_for(expression)
    assert names
    assert names <= SERIES.keys()
    assert labels <= set.union(*(SERIES[name] for name in names))


def test_the_dashboard_shows_every_metric():
    shown = set().union(*(asked_for(t["expr"])[0] for panel in BOARD["panels"] for t in panel["targets"]))
    assert [m.name for m in ALL if not any(name.startswith(mapped(m)) for name in shown)] == []


def test_legends_and_texts_use_existing_labels():
    texts = [t["legendFormat"] for panel in BOARD["panels"] for t in panel["targets"]]
    texts += [rule["annotations"]["summary"].replace("$labels.", "") for rule in RULES]
    named = {name for text in texts for name in re.findall(r"\{\{ *(\w+) *\}\}", text)}
    assert named <= {tag for metric in ALL for tag in metric.tags}


def test_only_counters_end_in_total():
    assert all(mapped(m).endswith("_total") == isinstance(m, Counter) for m in ALL)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_rule_has_a_severity_a_summary_and_a_valid_command(rule):
    assert rule["labels"].keys() == {"severity", "cause"}
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert set(rule["annotations"]) == {"summary", "description", "command"}
    program, *arguments = shlex.split(rule["annotations"]["command"])
    if program == "airflow":
        get_parser().parse_args(arguments)
        return
    command = re.search(r'_orchestration.sh" (\w+)', (ROOT / program).read_text())[1]
    parse(command, *arguments)


def test_every_recorded_series_is_used_with_its_labels():
    assert [rule["record"] for rule in RECORDED] == list(COUNTED)


def test_routes_and_inhibitions_name_existing_alerts_and_causes():
    causes = {rule["labels"]["cause"] for rule in RULES}
    known = {"alertname": {rule["alert"] for rule in RULES}, "cause": causes, "severity": {"critical", "warning"}}
    matchers = [m for rule in ROUTES["inhibit_rules"] for k in ("source_matchers", "target_matchers") for m in rule[k]]
    for name, values in re.findall(r"^(\w+)!?=~?\"(.+)\"$", "\n".join(matchers), re.MULTILINE):
        assert set(values.split("|")) <= known[name]
    receivers = {receiver["name"] for receiver in ROUTES["receivers"]}
    assert {route["receiver"] for route in (ROUTES["route"], *ROUTES["route"]["routes"])} == receivers


def test_the_routes_hold_no_secret():
    text = (ROOT / "deploy" / "prometheus" / "alertmanager.yaml").read_text()
    assert re.findall(r"(?:api_url|password|token|api_key|routing_key):", text) == []
    assert len(re.findall(r"_file: /etc/alertmanager/secrets/nba-alert-channels/\w+$", text, re.MULTILINE)) == 2


def checked(tool, *arguments, cwd=ROOT / "deploy" / "prometheus"):
    """Run a tool of Prometheus and assert that it is satisfied."""
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} on this machine (Debian: prometheus, prometheus-alertmanager)")
    done = subprocess.run([tool, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_fire_when_they_should(tmp_path):
    shutil.copy(ROOT / "deploy" / "prometheus" / "alerts.yaml", tmp_path)
    shutil.copy(ROOT / "tests" / "support" / "data" / "alerts-test.yaml", tmp_path)
    checked("promtool", "test", "rules", "alerts-test.yaml", cwd=tmp_path)


def test_prometheus_and_alertmanager_accept_their_files():
    checked("promtool", "check", "config", "--syntax-only", "prometheus.yaml")
    checked("promtool", "check", "rules", "alerts.yaml")
    checked("amtool", "check-config", "alertmanager.yaml")
