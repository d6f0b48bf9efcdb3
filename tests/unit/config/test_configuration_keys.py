"""Every key has an effect or is documented as descriptive (lesson E6)."""

import re
import sys

import pytest
from pydantic import BaseModel

from orchestration.decisions.types import TYPES
from orchestration.vocabulary import answers, base, model, scrapers, settings, workflows
from support.worlds import ROOT

DOC = (ROOT / "docs" / "orchestration" / "configuration-keys.md").read_text()
SOURCE = "\n".join(path.read_text() for path in (ROOT / "plugins" / "orchestration").rglob("*.py"))


def documented() -> dict[str, dict[str, str]]:
    parts = re.split(r"<!-- (\w+) -->", DOC)[1:]
    return {
        name: dict(re.findall(r"^\* `(\w+)`: (.+)$", text, re.MULTILINE))
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def models() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    types = [sys.modules[one.__module__] for one in TYPES]
    for module in (answers, base, model, scrapers, settings, workflows, *types):
        for name, one in vars(module).items():
            if not (isinstance(one, type) and issubclass(one, BaseModel)) or one in (
                BaseModel,
                base.Strict,
                workflows.ExecutionPlan,
                workflows.WorkflowSchedule,
            ):
                continue
            found["Workflow" if name.endswith("Workflow") else name] = set(one.model_fields)
    return found


@pytest.mark.lesson("E6")
def test_the_page_lists_every_key_of_every_model_and_no_other():
    assert {name: set(keys) for name, keys in documented().items()} == models()


@pytest.mark.lesson("E6")
@pytest.mark.parametrize(
    "key",
    sorted(
        {key for keys in documented().values() for key, effect in keys.items() if not effect.startswith("descriptive")}
    ),
)
def test_the_code_reads_every_key_that_has_an_effect(key):
    assert re.search(rf"\.{key}\b|[\"']{key}[\"']", SOURCE), f"nothing reads {key}"
