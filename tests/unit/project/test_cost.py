"""The cost page is generated from the current statements."""

from orchestration.audit.cost import asked
from support.generators import generator
from support.worlds import ours

cost = generator("cost")


def test_the_page_is_current():
    assert cost.PAGE.read_text() == cost.page(), "run make docs"


def test_a_decision_is_one_query_over_the_schedule_and_four_tables_of_ours():
    decide = asked(ours(), 22)[0]
    assert decide.tables == (
        "nba_orchestration.daily_expected_schedule",
        "nba_orchestration.scraper_execution_log",
        "nba_orchestration.workflow_decisions",
        "nba_orchestration.workflow_executions",
        "nba_raw.nbac_schedule",
    )
