"""make docs: docs/orchestration/12-alerts.md, every alert and finding that the package can raise, read from its code.

What stands in the code as a value is shown, what only a run knows is an ellipsis. A test keeps the page current.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from importlib import import_module
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "plugins")]

from orchestration.alerts.model import Alert
from orchestration.config.settings import Notifications
from orchestration.health.findings import Finding, script, trigger
from orchestration.health.verdict import TOLD_ELSEWHERE
from orchestration.words import AlertLevel

PAGE = ROOT / "docs" / "orchestration" / "12-alerts.md"
PACKAGE = ROOT / "plugins" / "orchestration"
DAY, WORKFLOW, RUN_ID, UNKNOWN = date(2026, 1, 14), "WORKFLOW", "RUN_ID", "…"
FINDINGS = {"bad": "CRITICAL", "worse": "WARNING"}
WATCHDOG, ONLY_SHOWN = "`cleanup`: `watch`", "the health check only"
SAID_BY = {
    "decisions": "the run: `decide`",
    "operators.decide": "the run: `abort`",
    "operators.finish": "the run: `finish`",
    "alerts.deadlines": "Airflow's deadline alert",
    "health": WATCHDOG,
    "operators.watch": WATCHDOG,
    "cleanup": "`cleanup`: `republish_lost_files`",
    "operators.cleanup": "`cleanup`: `republish_lost_files`",
    "operators.cleanup.DrainOutboxOperator": "`cleanup`: `drain_outbox`",
    "operators.lock": "`schedule_locker`: `lock`",
    "operators.lock.CheckTablesOperator": "`schedule_locker`: `check_tables`",
    "operators.reconcile": "`reconcile`: `tell_open`",
}
DYNAMIC = ("operators.decide", "alerts.model")
"""Where an alert takes its kind from a decision, or from a finding: both are read where those are made."""

HEAD = """# Alerts and findings

Made by `make docs` from the code; a test keeps it so. Everything that the system can tell people, and that the health
check can find: the kind, how loud it is, which task says it, what it says (… is what the moment adds), and the command
to type first. How often people are told, and when it is over: [Alerts](01-how-it-works.md#alerts).

{channels},
unless `settings.notifications` says otherwise; a channel that is not set up leaves them in the log. `alerts.…` is the
level that the workflow asks for in `workflows.yaml`; an execution that failed is always told at its `alerts.failure`.
In the health check what is CRITICAL here makes a day UNHEALTHY, a WARNING makes it DEGRADED. What only that shows,
another task has told.

DATE is the day as 2026-01-14, WORKFLOW a workflow or DAG, RUN_ID a run's id in Airflow: an alert has them filled in.

| kind | level | told to | said by | what | first command |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True, order=True)
class Said:
    """One place in the code that raises something."""

    kind: str
    level: str
    by: str
    text: str
    command: str
    where: str


@dataclass
class Room:
    """What the names in one function mean, as far as the code says it."""

    module: ModuleType
    function: ast.FunctionDef

    def values(self, node: ast.expr | None) -> list[ast.expr]:
        """Return the expressions that ``node`` may stand for."""
        if isinstance(node, ast.IfExp):
            return [*self.values(node.body), *self.values(node.orelse)]
        if isinstance(node, ast.Name) and (value := self._assigned(node)) is not None:
            return self.values(value)
        return [] if node is None else [node]

    def _assigned(self, name: ast.Name) -> ast.expr | None:
        """Return what was assigned to the name last above the line that speaks of it."""
        found: list[tuple[int, ast.expr]] = []
        for node in ast.walk(self.function):
            if isinstance(node, ast.AugAssign) and ast.unparse(node.target) == name.id:
                before = ast.Name(name.id, ast.Load(), lineno=node.lineno)
                found.append((node.lineno, ast.BinOp(before, ast.Add(), node.value)))
            for target in node.targets if isinstance(node, ast.Assign) else ():
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=True))
                found += [(node.lineno, value) for one, value in pairs if ast.unparse(one) == name.id]
        above = [pair for pair in found if pair[0] < name.lineno]
        return max(above, key=lambda pair: pair[0])[1] if above else None

    def text(self, node: ast.expr | None, filler: str = UNKNOWN) -> str:
        """Return what ``node`` says; of several texts the longest."""
        return max((self._text(value, filler) for value in self.values(node)), key=len, default=filler)

    def _text(self, node: ast.expr, filler: str) -> str:
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.JoinedStr(values=parts):
                return "".join(self._text(part, filler) for part in parts)
            case ast.FormattedValue(value=ast.Name() | ast.IfExp() | ast.Call(func=ast.Attribute(attr="get")) as value):
                found = self.text(value, filler)
                return self._placeholder(value, filler) if found == filler else found
            case ast.FormattedValue(value=value):
                return self._placeholder(value, filler)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.text(left, filler) + self.text(right, filler)
            case ast.Call(func=ast.Name(id="script"), args=[name, _, *more]):
                return script(self.text(name), DAY, self.text(more[0]) if more else "")
            case ast.Call(func=ast.Name(id="trigger"), args=[dag], keywords=conf):
                return trigger(self.text(dag, WORKFLOW), **{str(k.arg): self._conf(k.value) for k in conf})
            case ast.Call(func=ast.Attribute(attr="join"), args=[ast.GeneratorExp(elt=each)]):
                return self.text(each, filler)
            case ast.Call(func=ast.Attribute(attr="get"), args=[_, default]):
                return self.text(default, filler)
            case ast.Name(id=name) if isinstance(found := getattr(self.module, name, None), str):
                return found
        return filler

    def _placeholder(self, node: ast.expr, filler: str) -> str:
        """Return what a person puts in place of what only a run knows, where that is in a command."""
        said = ast.unparse(node)
        if filler is UNKNOWN or not filler:
            return filler
        return RUN_ID if "run_id" in said else DAY.isoformat() if said == "day" else WORKFLOW

    @staticmethod
    def _conf(node: ast.expr) -> object:
        return node.value if isinstance(node, ast.Constant) else DAY.isoformat()

    def level(self, node: ast.expr | None) -> str:
        """Return how loud it is, in the order of the code."""
        found: list[str] = []
        for value in self.values(node):
            said = ast.unparse(value)
            if own := re.search(r"\balerts\.(\w+)", said):
                found.append(f"`{own[0]}`" + (", at least WARNING" if "AlertLevel.WARNING" in said else ""))
            elif "alert_level" in said:
                found.append("`alerts.failure`, at least WARNING")
            elif isinstance(value, ast.Attribute) and value.attr in AlertLevel.__members__ and value.attr != "NONE":
                found.append(value.attr)
            elif said in FINDINGS:
                found.append(FINDINGS[said])
        return " or ".join(dict.fromkeys(found))


def sites() -> Iterator[Said]:
    """Yield everything that the code raises. Raises ValueError, with the place, for what cannot be read."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text())
        owners = {f: n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef) for f in n.body}
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                where = f"{path.relative_to(ROOT)}:{call.lineno}"
                if raised(name, function, call):
                    room = Room(import_module(f"orchestration.{name}"), function)
                    yield from _said(room, call, f"{name}.{owners.get(function, '')}", where)


def raised(module: str, function: ast.FunctionDef, call: ast.Call) -> bool:
    """Return whether this call makes an alert or a finding, or a decision that tells people."""
    made = ast.unparse(call.func)
    if module.startswith("decisions."):
        return made == "_once" or (made == "run" and any(k.arg == "alert" for k in call.keywords))
    if module.startswith("health.") and re.search(r"^level$|\b(bad|worse)\b", made):
        return True
    return made == "Alert" and not (module in DYNAMIC and not isinstance(call.args[0], ast.Constant))


def _said(room: Room, call: ast.Call, owner: str, where: str) -> Iterator[Said]:
    made = ast.unparse(call.func)
    arguments = {keyword.arg: keyword.value for keyword in call.keywords}
    by = next(SAID_BY[o] for o in _outwards(owner) if o in SAID_BY)
    timeline = script("view_today_timeline", DAY)
    if made == "_once":
        reason = ast.Name("reason", ast.Load(), lineno=room.function.end_lineno or call.lineno)
        kind, told = room.text(call.args[1], ""), room.text(reason)
        yield _checked(Said(kind, room.level(call.args[2]), by, told, timeline, where))
        return
    if made == "run":
        kinds = {room.text(value, "") for value in room.values(arguments["rule"])} - {"run"}
        level, told = room.level(arguments["alert"]), room.text(call.args[0])
        yield from (_checked(Said(kind, level, by, told, timeline, where)) for kind in kinds)
        return
    model = Alert if made == "Alert" else Finding
    names = [field.name for field in fields(model) if field.name != "verdict"]
    arguments |= dict(zip(names, call.args, strict=False))
    kind = room.text(arguments["kind"], "")
    level = room.level(arguments.get("level")) if model is Alert else room.level(call.func)
    command = room.text(arguments["command"], WORKFLOW) if "command" in arguments else Alert("", "", "").command
    if by == WATCHDOG and kind in TOLD_ELSEWHERE:
        by = ONLY_SHOWN
    level = level or ("CRITICAL" if "level" not in arguments else "")
    yield _checked(Said(kind, level, by, room.text(arguments["text"]), command, where))


def _outwards(owner: str) -> Iterator[str]:
    parts = owner.rstrip(".").split(".")
    yield from (".".join(parts[:n]) for n in range(len(parts), 0, -1))


def _checked(said: Said) -> Said:
    unread = [name for name in ("kind", "level", "command") if not getattr(said, name)]
    if unread or said.command.startswith((UNKNOWN, WORKFLOW)):
        raise ValueError(f"{said.where}: write its {' and '.join(unread) or 'command'} so that it can be read here")
    return said


def page() -> str:
    """Return the page."""
    told = {level.value: _channels(level) for level in (AlertLevel.CRITICAL, AlertLevel.WARNING)}
    channels = "; ".join(f"{level} alerts go to {names}" for level, names in told.items())
    rows = dict.fromkeys(
        f"| `{said.kind}` | {said.level} | {_told(said, told)} | {said.by} | {_short(said.text)} "
        f"| `{said.command.replace(DAY.isoformat(), 'DATE')}` |"
        for said in sorted(sites())
    )
    return HEAD.format(channels=channels) + "\n".join(rows) + "\n"


def _channels(level: AlertLevel) -> str:
    return ", ".join(channel.value for channel in Notifications().channels(level))


def _told(said: Said, told: dict[str, str]) -> str:
    return "nobody" if said.by == ONLY_SHOWN else told.get(said.level, "by its level")


def _short(text: str) -> str:
    return re.sub(rf"({UNKNOWN}[ ,;]*)+{UNKNOWN}", UNKNOWN, text).replace("|", "\\|")


def example(command: str) -> str:
    """Return a command of the page as an alert would have it."""
    return command.replace(WORKFLOW, "betting_lines").replace(RUN_ID, "scheduled__2026-01-14T18:00:00+00:00")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")
