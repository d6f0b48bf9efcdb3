"""Checks of parameters: names of the call's own, and values that are not what was written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestration.vocabulary.model import Config
from orchestration.vocabulary.source import Path, Problem, Source

OF_THE_CALL = ("scraper", "workflow", "source")
"""The names in a call's body that we set."""
_SHELL = re.compile(r"\$\{\w+\}|\$[A-Z][A-Z0-9_]{2,}\b|%[A-Z][A-Z0-9_]{2,}%|<%=.*%>|\{\{ *(?:env|secrets)\b")


def errors(config: Config, source: Source) -> Iterator[Problem]:
    """Yield the parameters that a call cannot have."""
    for path, name, _ in _parameters(config):
        if name in OF_THE_CALL:
            yield source.problem(path, f"every call sets `{name}` itself. Choose another name")


def warnings(config: Config, source: Source) -> Iterator[Problem]:
    """Yield the values that YAML reads as something else, and names of variables that nobody fills in."""
    for path, _, value in _parameters(config):
        if written := source.read_as_other(path):
            sent = str(value).lower() if isinstance(value, bool) else value
            yield source.problem(path, f"`{written}` is sent as {sent}. Write '{written}' in quotes to send this text")
        elif isinstance(value, str) and (found := _SHELL.search(value)):
            yield source.problem(path, f"`{found[0]}` is sent as it stands: nobody fills it in")


def _parameters(config: Config) -> Iterator[tuple[Path, str, object]]:
    for scraper, model in config.scrapers.items():
        for name, value in (model.parameters or {}).items():
            yield ("scrapers", scraper, "parameters", name), name, value
