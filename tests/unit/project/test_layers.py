"""The layers of the package: imports point down, and the lower layers stay pure."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "plugins" / "orchestration"
PURE = ("words", "errors", "nba", "vocabulary", "config", "decisions", "planning", "health", "cleanup.backlog",
        "runs.execution",
        "alerts.model", "alerts.message", "generator.docs", "services.answers", "services.contract",
        "services.redaction", "services.files", "records", "ui.addresses", "ui.day", "ui.model",
        "ui.visibility", "ui.why")  # fmt: skip
# Lower layers first; a module imports only from its own layer and those before it. The longest name that fits counts.
LAYERS = [
    ("words", "errors", "services.redaction"),
    ("nba",),
    ("records", "vocabulary"),
    ("decisions",),
    ("config",),
    ("planning", "runs"),
    ("planning.what_if", "planning.other_system"),
    ("health",),
    ("services", "audit"),
    ("alerts", "assets", "deadlines"),
    ("cleanup",),
    ("operators",),
    ("ui",),
    ("generator", "plugin", "cli", "__main__"),
]
AT_THE_ROOT = {"__init__", "__main__", "deadlines", "errors", "plugin", "words"}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        yield name, path


def imports(path, *, top_level_only):
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def layer_of(name):
    fitting = [(len(one), i) for i, names in enumerate(LAYERS) for one in names if f"{name}.".startswith(f"{one}.")]
    return max(fitting)[1]


@pytest.mark.parametrize(("name", "path"), [m for m in modules() if m[0] != "__init__"], ids=lambda v: str(v))
def test_imports_point_down_only(name, path):
    for imported in imports(path, top_level_only=False):
        if imported.startswith("orchestration."):
            assert layer_of(imported.removeprefix("orchestration.")) <= layer_of(name), f"{name} imports {imported}"


def test_every_rules_module_can_be_imported_first():
    for name in (
        "vocabulary.workflows",
        "vocabulary.settings",
        "vocabulary.model",
        "config",
        "decisions.case",
        "decisions.types.freshness",
        "decisions.engine",
    ):
        code = f"import orchestration.{name}"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": "plugins"}, check=True)


def test_only_the_list_of_decision_types_names_all_of_them():
    """A new type needs only its module and one line in this list. No other code names the types."""
    middle = ("decisions.engine", "decisions.case", "decisions.request", "vocabulary.model", "config.checks", "config",
              "planning.day", "planning.calls", "planning.description")  # fmt: skip
    for name, path in modules():
        if name in middle:
            known = [
                one for one in imports(path, top_level_only=False) if one.startswith("orchestration.decisions.types.")
            ]
            assert known == [], f"{name} imports {known}"


@pytest.mark.parametrize(("name", "path"), [m for m in modules() if m[0].startswith(PURE)], ids=lambda v: str(v))
def test_the_pure_layers_use_neither_airflow_nor_google_nor_the_clock(name, path):
    for imported in imports(path, top_level_only=False):
        assert imported.split(".")[0] not in {"airflow", "google", "requests", "time"}, imported
    asked = {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    # `today` of a case is the date of its tick, not the machine's date.
    assert not {a for a in asked if a.endswith((".now", ".utcnow", ".today"))} - {"case.today", "self.today"}


def test_no_module_has_more_than_300_lines():
    assert [name for name, path in modules() if len(path.read_text().splitlines()) > 300] == []


def test_every_module_is_in_a_room():
    assert {path.stem for path in PACKAGE.glob("*.py")} == AT_THE_ROOT


def test_production_code_never_imports_the_sandbox():
    for name, path in modules():
        assert not [i for i in imports(path, top_level_only=False) if i.split(".")[0] == "sandbox"], name


def test_a_dag_file_loads_no_google_library_and_no_hook():
    code = (
        "import sys, runpy; runpy.run_path('dags/workflows.py'); "
        "print([m for m in sys.modules if m.startswith(('google.cloud.bigquery', 'google.cloud.pubsub', "
        "'google.api_core', 'airflow.providers.google.cloud', 'airflow.providers.http.hooks', 'pandas', 'grpc'))])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env={"PYTHONPATH": "plugins", "PATH": "/usr/bin", "AIRFLOW_HOME": "/tmp/orchestration-parse"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"
