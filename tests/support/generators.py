"""The programs in docs/generate that write pages of the documentation, as modules."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from support.worlds import ROOT


def generator(name: str) -> ModuleType:
    """Return docs/generate/<name>.py as a module."""
    spec = importlib.util.spec_from_file_location(f"generate_{name}", ROOT / "docs" / "generate" / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded
