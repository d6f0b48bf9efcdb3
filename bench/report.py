"""make bench: measures all parts and writes one report, in Markdown and JSON, into docs/orchestration/bench.

A part that is not measured keeps its numbers from the report of the same day, with their commit.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "orchestration" / "bench"
PARTS = {
    "building": "Building DAGs",
    "engine": "The engine",
    "audit": "Outbox and audit",
    "calls": "Calls",
    "day": "A game day from tick to row",
    "forms": "Many workflows at one tick",
}
WANTED = os.environ.get("BENCH_PARTS", ",".join(PARTS)).split(",")


def machine() -> dict[str, Any]:
    """Return the properties of the machine that numbers may depend on."""
    cpus = Path("/proc/cpuinfo")
    models = [line.split(":")[1].strip() for line in cpus.read_text().splitlines() if "model name" in line]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory, GiB": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "airflow": version("apache-airflow"),
        "busy (load average of 1, 5, 15 min)": [round(load, 1) for load in os.getloadavg()],
    }


def commit() -> str:
    """Return the commit of the measured code."""
    command = ["git", "describe", "--always", "--dirty"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout.strip() or "unknown"


def part(name: str) -> dict[str, Any]:
    """Run one part in its own process and return its numbers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.json"
        start, before = time.monotonic(), machine()
        # Only the part building needs the other DAG builders. All other parts run with this Python.
        python = ROOT / ".venv-bench" / "bin" / "python" if name == "building" else sys.executable
        command = [str(python), str(ROOT / "bench" / f"{name}.py")]
        subprocess.run(command, env={**os.environ, "BENCH_JSON": str(path)}, check=True)  # noqa: S603
        figures = json.loads(path.read_text())
    return {"commit": commit(), "machine": before, "took, seconds": round(time.monotonic() - start), **figures}


def table(rows: list[list[Any]]) -> list[str]:
    """Return a Markdown table. The first row is its head."""
    head, *body = [["" if cell is None else str(cell) for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (head, ["---", *["---:"] * (len(head) - 1)], *body)]


def building(figures: dict[str, Any]) -> list[str]:
    """Return the table of building DAGs."""
    counts = figures["counts"]
    ways = list(next(iter(counts.values()))["cpu_seconds"])
    rows: list[list[Any]] = [["CPU s (times ours)", *(f"{count} workflows" for count in counts)]]
    for way in ways:
        cells = [f"{one['cpu_seconds'][way]:.3g} ({one['times_ours'][way]:g}×)" for one in counts.values()]
        rows.append([way, *cells])
    failed = [f"* {way} failed: {error}" for one in counts.values() for way, error in one.get("failed", {}).items()]
    packages = ", ".join(f"{name} {number}" for name, number in figures["packages"].items())
    return [
        f"From the file to the DAGs; {packages}. All ways build the same tasks, edges, schedule and trigger form. This "
        "is checked before the measurement. airflow-blueprint accepts no parameters of a DAG, so they are added to its "
        "finished DAGs. The module written by hand is measured in its compiled form.",
        "",
        *table(rows),
        *failed,
    ]


def calls(figures: dict[str, Any]) -> list[str]:
    """Return the table of the calls."""
    keys = [
        "seconds",
        "CPU seconds a call",
        "the emulator's",
        "whole run, seconds",
        "times the plain operator",
        "failed",
    ]
    rows = [["", *keys], *([dag, *(one.get(key) for key in keys)] for dag, one in figures["calls"].items())]
    loads = "; ".join(
        f"*{load}*: {count} calls of {seconds:g} s" for load, (count, seconds) in figures["loads"].items()
    )
    return [
        f"{loads}. *plain*: Airflow's HttpOperator. *asset*: blocking calls, and a task that sends asset events. "
        f"*batch*: {figures['calls in a task']} calls in a task. Both are compared with the plain blocking operator. "
        "*the emulator's*: CPU seconds per call of the BigQuery emulator on the same cores, for our rows. "
        "*failed*: failed tasks. Airflow takes a deferred task that resumes while the scheduler is busy for a failed "
        "one (apache/airflow#72716).",
        "",
        *table(rows),
    ]


def forms(figures: dict[str, Any]) -> list[str]:
    """Return the table of the forms, side by side."""
    there = figures["forms"]
    keys = list(next(iter(there.values())))
    about = f"All workflows tick at once and decide SKIP, {figures['tasks at a time']} tasks at a time."
    return [about, "", *table([["", *there], *([key, *(one[key] for one in there.values())] for key in keys)])]


def numbers(figures: dict[str, Any]) -> list[str]:
    """Return a table of all numbers, without an introduction."""
    left_out = ("commit", "machine", "runs", "took, seconds")
    shown = {key: f"{value:,}" if isinstance(value, int) else value for key, value in figures.items()}
    return table([["", "measured"], *([key, value] for key, value in shown.items() if key not in left_out)])


def page(report: dict[str, Any]) -> str:
    """Return the report for people."""
    lines = [f"# Measured on {report['date']}", ""]
    lines += ["Written by `make bench`. Numbers are medians; ratios compare measurements of one run on one machine."]
    lines += ["The page [Scale](../16-scale.md) explains what the numbers mean for more work.", ""]
    last = list(report["parts"].values())[-1]["machine"]
    lines += table([["machine", ""], *([key, value] for key, value in last.items() if not key.startswith("busy"))])
    for name, title in PARTS.items():
        if figures := report["parts"].get(name):
            section = {"building": building, "calls": calls, "forms": forms}.get(name, numbers)
            busy = next(value for key, value in figures["machine"].items() if key.startswith("busy"))
            runs = figures.get("runs", 1)
            about = f"Commit {figures['commit']}, {runs} run{'s' * (runs != 1)}, {figures['took, seconds']} s; "
            about += f"load average of 1, 5 and 15 min at the start: {', '.join(map(str, busy)) or 'not recorded'}."
            lines += ["", f"## {title}", "", about, "", *section(figures)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the parts in BENCH_PARTS. Write the report after each part, so that a later failure loses no numbers."""
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    path = FOLDER / f"{date}.json"
    FOLDER.mkdir(exist_ok=True)
    for name in PARTS:
        if name in WANTED:
            figures = part(name)
            report = json.loads(path.read_text()) if path.exists() else {"date": date, "parts": {}}
            report["parts"][name] = figures
            path.write_text(json.dumps(report, indent=1) + "\n")
            path.with_suffix(".md").write_text(page(report))


if __name__ == "__main__":
    main()
