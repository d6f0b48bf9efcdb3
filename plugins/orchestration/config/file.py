"""The model of ``workflows.yaml`` with all decision types, and its JSON Schema for editors."""

from __future__ import annotations

import json

from pydantic import Field

from orchestration.decisions.types import AnyWorkflow
from orchestration.vocabulary.base import DagId
from orchestration.vocabulary.model import Config


class WorkflowsFile(Config):
    """``workflows.yaml`` after loading."""

    workflows: dict[DagId, AnyWorkflow] = Field(min_length=1)


def schema_text() -> str:
    """Return the text of ``config/workflows.schema.json``. ``make schema`` writes the file; a test keeps it current."""
    schema = WorkflowsFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "workflows.yaml"
    # A plan has two forms in the file, and one after loading. Wall times are text in the file.
    step = {"$ref": "#/$defs/Step"}
    schema["$defs"]["ExecutionPlan"] = {
        "anyOf": [step, {"type": "object", "additionalProperties": step, "minProperties": 1}]
    }
    schema["$defs"]["Step"]["properties"]["scraper"] = {"type": "string"}
    schema["$defs"]["Step"].pop("required", None)
    return json.dumps(_readable(schema), indent=2, sort_keys=True) + "\n"


def _readable(node: object) -> object:
    """Allow one name or wall time in place of an array, and write wall times as ``HH:MM``."""
    if isinstance(node, list):
        return [_readable(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "time":
        return {**{k: v for k, v in node.items() if k != "format"}, "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$"}
    if node.get("type") == "array" and node.get("items") in ({"type": "string"}, {"type": "string", "format": "time"}):
        kept = {k: v for k, v in node.items() if k in ("default", "title", "description")}
        one, least = _readable(node["items"]), {k: v for k, v in node.items() if k == "minItems"}
        return {**kept, "anyOf": [one, {"type": "array", "items": one, **least}]}
    return {key: _readable(value) for key, value in node.items()}
