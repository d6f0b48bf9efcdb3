"""The benchmark report exists as Markdown and JSON. These tests do not check its numbers."""

import json
import re

from support.worlds import ROOT

DOCS = ROOT / "docs" / "orchestration"
REPORTS = sorted((DOCS / "bench").glob("*.json"))


def test_the_page_about_scale_links_the_newest_report_in_both_forms():
    linked = re.findall(r"\]\(bench/([^)]+)\)", (DOCS / "16-scale.md").read_text())
    assert linked == [f"{REPORTS[-1].stem}.md", f"{REPORTS[-1].stem}.json"]


def test_each_report_names_date_machine_and_commit_of_its_parts():
    for path in REPORTS:
        report = json.loads(path.read_text())
        assert report["date"] == path.stem
        assert {"building", "engine", "audit"} <= set(report["parts"])
        for name, part in report["parts"].items():
            assert {"processor", "cores", "memory, GiB", "python", "airflow"} <= set(part["machine"])
            assert part["commit"]
            # A day, or a tick with hundreds of runs, gives one number per run.
            assert part.get("runs", 1) >= (1 if name in ("day", "forms") else 3)
        assert set(report["parts"]["building"]["counts"]) == {"15", "100", "1000"}
        assert f"# Measured on {path.stem}" in path.with_suffix(".md").read_text()


def test_building_is_compared_with_every_other_way():
    for path in REPORTS:
        for count in json.loads(path.read_text())["parts"]["building"]["counts"].values():
            others = {"by hand", "dag-factory", "airflow-blueprint"}
            assert others <= {*count["times_ours"], *count.get("failed", ())}
