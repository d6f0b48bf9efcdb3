"""The cost page says what the statements say."""

import importlib.util
import sys

from worlds import ROOT

SPEC = importlib.util.spec_from_file_location("cost", ROOT / "bench" / "cost.py")
cost = importlib.util.module_from_spec(SPEC)
sys.modules["cost"] = cost
SPEC.loader.exec_module(cost)


def test_the_page_is_current():
    assert cost.PAGE.read_text() == cost.page(), "run make docs"


def test_a_decision_is_one_query_over_the_schedule_and_three_tables_of_ours():
    decide = cost.asked()[0]
    assert decide.tables == (
        "nba_orchestration.scraper_execution_log",
        "nba_orchestration.workflow_decisions",
        "nba_orchestration.workflow_executions",
        "nba_raw.nbac_schedule",
    )
