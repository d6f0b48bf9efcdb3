"""From YAML text to plain data, remembering where everything stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from orchestration.config.errors import ConfigError, Problem

MAX_BYTES = 5_000_000
MAX_NODES = 400_000
Path = tuple[str | int, ...]


@dataclass
class Source:
    """A parsed file: its data, and line and column (from 1) of every key and item."""

    name: str
    data: Any = None
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def place(self, path: Path) -> tuple[int, int]:
        """Return where ``path`` stands. Parts that the file does not have (a model's own words) are passed over."""
        here: Path = ()
        for part in path:
            if (*here, part) in self.places:
                here = (*here, part)
        return self.places.get(here, (1, 1))

    def problem(self, path: Path, message: str) -> Problem:
        """Return a problem at ``path``."""
        here = [str(part) for index, part in enumerate(path) if self._known(path[: index + 1])]
        return Problem(*self.place(path), ".".join(here), message)

    def _known(self, path: Path) -> bool:
        # The same walk as place(): is the last part one that the file has?
        here: Path = ()
        for part in path:
            there = (*here, part)
            found = there in self.places
            here = there if found else here
        return found


class _Loader(yaml.CSafeLoader):
    """The C loader; composing keeps the positions that loading would lose."""


def parse(text: bytes, name: str) -> Source:
    """Return the data of the YAML ``text``, from the file ``name``.

    Raises ConfigError for text that is no YAML, has duplicate keys, or is larger than a configuration can be.
    """
    source = Source(name)
    if len(text) > MAX_BYTES:
        raise ConfigError(name, [Problem(0, 0, "", f"{len(text):,} bytes are more than the {MAX_BYTES:,} allowed")])
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            walker = _Walker(loader, source)
            if node is not None:
                source.data = walker.value(node, ())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise ConfigError(name, [Problem(*where, "", f"not valid YAML: {error.problem}")]) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(name, [Problem(0, 0, "", f"not valid YAML: {reason}")]) from error
    if walker.problems:
        raise ConfigError(name, walker.problems)
    return source


class _Walker:
    """Turns nodes into values, counting them: aliases can make a small file enormous."""

    def __init__(self, loader: _Loader, source: Source) -> None:
        self.loader, self.source = loader, source
        self.count = 0
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.count += 1
        if self.count > MAX_NODES:
            raise ValueError(f"more than {MAX_NODES:,} values (aliases count each time)")
        self.source.places.setdefault(path, _mark(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*path, index)) for index, child in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        return self.loader.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[Any, Any]:
        self.loader.flatten_mapping(node)
        result: dict[Any, Any] = {}
        for key_node, child in node.value:
            key = self.loader.construct_object(key_node)
            if not isinstance(key, str | int | float | bool):
                key = str(key)
            here = (*path, key)
            if key in result:
                first = self.source.places[here]
                message = f"duplicate key; the first one stands in line {first[0]}, and only one of them could count"
                self.problems.append(Problem(*_mark(key_node), ".".join(map(str, here)), message))
                continue
            self.source.places[here] = _mark(key_node)
            result[key] = self.value(child, here)
        return result


def _mark(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
