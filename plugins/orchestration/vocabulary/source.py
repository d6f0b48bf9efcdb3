"""Parse YAML into plain data with the line and column of every key, and report problems there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from orchestration.errors import UserError
from orchestration.words import clipped, plural

MAX_BYTES = 5_000_000
MAX_NODES = 100_000
"""A thousand workflows like the shipped ones have 33,000 values. A thousand like the longest have over 50,000."""
MAX_DEPTH = 20
"""The models are nine levels deep."""
MAX_TEXT = 10_000
"""The most characters of one text."""
MOST_SHOWN = 50
"""The most problems that an error lists."""
Path = tuple[str | int, ...]

_MAP, _SEQ = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"
_STR, _INT, _FLOAT = "tag:yaml.org,2002:str", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
_MERGE = "tag:yaml.org,2002:merge"
_SCALARS = {_STR, _INT, _FLOAT, *(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "null", "timestamp", "merge"))}
_PLAIN_NUMBER = {
    _INT: re.compile(r"[-+]?(0|[1-9][0-9]{0,30})"),
    _FLOAT: re.compile(r"[-+]?([0-9]{0,40}\.[0-9]{0,40}([eE][-+][0-9]{1,4})?|\.inf|\.nan)", re.IGNORECASE),
}
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that a database refuses: control characters other than tab and line ends, and lone surrogates."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem of a file. ``line`` and ``column`` count from 1; 0 means the whole file."""

    line: int
    column: int
    key: str
    message: str

    def text(self, source: str) -> str:
        """Return ``file:line:column: key: message``."""
        place = f"{source}:{self.line}:{self.column}" if self.line else source
        text = f"{place}: {self.key + ': ' if self.key else ''}{self.message}"
        return "\\n".join(text.splitlines())


class ConfigError(UserError):
    """The configuration is unusable. The text lists every problem on a line of its own, for Airflow's import errors."""

    next_step = "python -m orchestration validate"

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems))
        shown = [p.text(source) for p in self.problems[:MOST_SHOWN]]
        if len(self.problems) > MOST_SHOWN:
            shown.append(f"{source}: and {len(self.problems) - MOST_SHOWN} more")
        super().__init__("\n".join([f"{source}: {plural(len(self.problems), 'error')}", *shown]))


@dataclass
class Source:
    """A parsed file: its data, and the line and column (from 1) of every key and item."""

    name: str
    data: Any = None
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    others: dict[Path, str] = field(default_factory=dict)
    """The values that do not print as they were written: ``NO`` is false, ``1.10`` is 1.1."""

    def read_as_other(self, path: Path) -> str | None:
        """Return how the value of ``path`` was written, if YAML reads it as something else."""
        return self.others.get(self._in_file(path))

    def place(self, path: Path) -> tuple[int, int]:
        """Return line and column of ``path``."""
        return self.places.get(self._in_file(path), (1, 1))

    def problem(self, path: Path, message: str) -> Problem:
        """Return a problem at ``path``."""
        return Problem(*self.place(path), ".".join(map(clipped, self._in_file(path))), message)

    def _in_file(self, path: Path) -> Path:
        """Return ``path`` without the parts that only the models have, such as ``steps``."""
        here: Path = ()
        for part in path:
            if (*here, part) in self.places:
                here = (*here, part)
        return here


class _Loader(yaml.CSafeLoader):
    """The C loader. Its nodes keep the positions that loading would lose."""


class _TooMuch(Exception):
    """The file is too large or too deep for a configuration. The text names the limit."""

    def __init__(self, text: str, mark: Any) -> None:
        super().__init__(text)
        self.place = (mark.line + 1, mark.column + 1)


def parse(text: bytes, name: str) -> Source:
    """Return the data of the YAML ``text``, from the file ``name``.

    Raises ConfigError for text that is not YAML, has duplicate keys or keys that are not text, or is larger or deeper
    than a configuration can be. Any text is parsed or refused within seconds.
    """
    source = Source(name)
    if len(text) > MAX_BYTES:
        raise ConfigError(name, [Problem(0, 0, "", f"{len(text):,} bytes are more than the {MAX_BYTES:,} allowed")])
    try:
        _measure(text)
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
    except _TooMuch as error:
        raise ConfigError(name, [Problem(*error.place, "", f"not valid YAML: {error}")]) from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(name, [Problem(0, 0, "", f"not valid YAML: {reason}")]) from error
    if walker.problems:
        raise ConfigError(name, walker.problems)
    return source


def _measure(text: bytes) -> None:
    """Refuse text that is too deep or too large: the C parser is recursive and would crash the process."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _TooMuch(f"nested more than {MAX_DEPTH} levels deep", event.start_mark)
        if count > 2 * MAX_NODES:
            raise _TooMuch(f"more than {MAX_NODES:,} values", event.start_mark)


class _Walker:
    """Turns nodes into values, and counts them because aliases and merges can make a small file enormous."""

    def __init__(self, loader: _Loader, source: Source) -> None:
        self.loader, self.source = loader, source
        self.count = 0
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, path: Path) -> Any:
        self._count(node)
        if len(path) > MAX_DEPTH:
            raise _TooMuch(f"nested more than {MAX_DEPTH} levels deep (by an alias)", node.start_mark)
        self.source.places.setdefault(path, _mark(node))
        if isinstance(node, yaml.SequenceNode) and node.tag == _SEQ:
            return [self.value(child, (*path, index)) for index, child in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode) and node.tag == _MAP:
            return self._mapping(node, path)
        return self._scalar(node, path)

    def _count(self, node: yaml.Node) -> None:
        self.count += 1
        if self.count > MAX_NODES:
            raise _TooMuch(f"more than {MAX_NODES:,} values (aliases count each time)", node.start_mark)

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        if not isinstance(node, yaml.ScalarNode) or node.tag not in _SCALARS:
            return self._refuse(node, path, f"the tag {clipped(node.tag)} is not allowed")
        text: str = node.value
        if len(text) > MAX_TEXT:
            return self._refuse(node, path, f"{len(text):,} characters are more than the {MAX_TEXT:,} allowed")
        if found := _UNPRINTABLE.search(text):
            return self._refuse(node, path, f"the character U+{ord(found[0]):04X} is not allowed in a text")
        plain = _PLAIN_NUMBER.get(node.tag)
        if node.tag in (_STR, _MERGE) or (plain is not None and not plain.fullmatch(text)):
            # Keep the text: YAML 1.1 would read 22:00 as 1320, 010 as 8 and 0022500123 as 4,890,707.
            return text
        try:
            value = self.loader.construct_object(node)
            if (str(value).lower() if isinstance(value, bool) else str(value)) not in (text, text.lower()):
                self.source.others[path] = text
            return value
        except Exception as error:
            # A date that does not exist, or a tag that does not fit its value.
            kind = node.tag.rpartition(":")[2]
            return self._refuse(node, path, f"{clipped(text)!r} cannot be read as {kind}: {error}")

    def _refuse(self, node: yaml.Node, path: Path, message: str) -> None:
        self.problems.append(Problem(*_mark(node), ".".join(map(clipped, path)), message))

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key_node, child in self._pairs(node):
            if key_node.tag == _MERGE:
                continue
            key = self._scalar(key_node, path)
            if not isinstance(key, str):
                kind = {"NoneType": "null", "bool": "a truth value"}.get(type(key).__name__, type(key).__name__)
                self._refuse(
                    key_node, path, f"a key must be text, but YAML reads this key as {kind}; write it in quotes"
                )
            elif key in own:
                first = own[key][0].start_mark.line + 1
                message = f"duplicate key; the first one is in line {first}. Remove one of them"
                self._refuse(key_node, (*path, key), message)
            else:
                own[key] = key_node, child
        result: dict[str, Any] = {}
        for key, (key_node, child) in {**dict(self._merged(node, ())), **own}.items():
            self.source.places[*path, key] = _mark(key_node)
            result[key] = self.value(child, (*path, key))
        return result

    def _pairs(self, node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        for key_node, child in node.value:
            self._count(key_node)
            yield key_node, child

    def _merged(
        self, node: yaml.MappingNode, within: tuple[int, ...]
    ) -> Iterator[tuple[str, tuple[yaml.Node, yaml.Node]]]:
        """Yield the keys that ``<<`` adds. A later key wins over an earlier one, and own keys win over all of them."""
        if len(within) > MAX_DEPTH or id(node) in within:
            raise _TooMuch("a merge (<<) goes too deep, or back to itself", node.start_mark)
        for key_node, child in node.value:
            if key_node.tag != _MERGE:
                continue
            for other in reversed(child.value if isinstance(child, yaml.SequenceNode) else [child]):
                if not isinstance(other, yaml.MappingNode):
                    self._refuse(other, ("<<",), "only mappings can be merged")
                    continue
                yield from self._merged(other, (*within, id(node)))
                for other_key, other_child in self._pairs(other):
                    if other_key.tag != _MERGE and isinstance(key := self._scalar(other_key, ("<<",)), str):
                        yield key, (other_key, other_child)


def _mark(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
