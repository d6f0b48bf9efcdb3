"""The list of lessons in the documentation names the files of the marked tests."""

import re

from support.worlds import ROOT

DOC = ROOT / "docs" / "orchestration" / "lessons.md"


def marked() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for number in re.findall(r'mark\.lesson\("([A-Z]\d+)"\)', path.read_text()):
            found.setdefault(number, set()).add(path.name)
    return found


def documented() -> dict[str, set[str]]:
    rows = re.findall(r"^\* \*\*([A-Z]\d+)\*\* .* \(([^()]*)\)$", DOC.read_text(), re.MULTILINE)
    return {number: set(re.findall(r"test_\w+\.py", files)) for number, files in rows}


def test_every_lesson_names_the_files_that_hold_it():
    assert {number: files for number, files in documented().items() if files} == marked()
