"""The commands of the documentation: every line of a block marked ``sh``."""

from __future__ import annotations

import re

from support.worlds import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "bin" / "orchestration" / "README.md",
    *sorted((ROOT / "docs" / "orchestration").glob("*.md")),
]


def commands() -> list[str]:
    """Return each command once. Commands that change something come last."""
    found = [
        line.split("   #")[0].strip()
        for page in PAGES
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
        for line in block.splitlines()
    ]
    return sorted({line for line in found if line}, key=lambda line: ("airflow" in line, line))
