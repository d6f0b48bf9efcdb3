"""The documentation is correct: its links, its reading order, its commands and its generated pages."""

import re

import pytest

from support.command_line import options
from support.documented import PAGES, commands
from support.generators import generator
from support.worlds import ROOT, ours

schemas = generator("schemas")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_has_a_target(page):
    text = page.read_text()
    anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.M)}
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif "://" not in target:
            path, _, anchor = target.partition("#")
            assert (page.parent / path).exists(), target
            assert not anchor or anchor in (page.parent / path).read_text().lower().replace(" ", "-"), target


def test_every_document_is_in_the_reading_order():
    folder = ROOT / "docs" / "orchestration"
    listed = re.findall(r"^\d+\. \[([\w.-]+)\]", (folder / "README.md").read_text(), re.M)
    assert sorted(listed) == sorted(page.name for page in folder.glob("*.md") if page.name != "README.md")


def test_every_script_is_in_the_script_reference_and_takes_dates_and_json():
    scripts = sorted((ROOT / "bin" / "orchestration").glob("[a-z]*.sh"))
    reference = (ROOT / "bin" / "orchestration" / "README.md").read_text()
    for script in scripts:
        assert f"| `{script.name}` |" in reference
        command = re.search(r'_orchestration.sh" (\w+)', script.read_text())[1]
        has = options(command)
        assert "--date" in has or ({"--from", "--to"} <= has) or "--as-of" in has
        assert "--json" in has


def test_the_overview_has_every_workflow_with_its_deadline():
    text = (ROOT / "docs" / "orchestration" / "02-phase1-overview.md").read_text()
    for name, workflow in ours().enabled.items():
        [row] = [line for line in text.splitlines() if line.startswith("| `") and f"`{name}`" in line.split("|")[1]]
        assert f"| {workflow.priority.value} | {ours().deadline_minutes(name):g} min |" in row


def test_the_schema_page_is_current():
    assert schemas.PAGE.read_text() == schemas.page(), "run make docs"
    assert schemas.QUERIES.read_text() == schemas.queries(), "run make docs"


def test_the_documentation_has_at_least_15_commands_to_test():
    assert len(commands()) >= 15
