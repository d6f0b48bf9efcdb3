"""The programs in bench/ that write pages, as modules."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from support.worlds import ROOT


def module(name: str) -> ModuleType:
    """Return bench/<name>.py as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "bench" / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    return loaded
