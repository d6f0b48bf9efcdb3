"""Our pages inside a real Airflow with a played night: navigation, tabs, home page and access rights."""

import re
from urllib.parse import quote

import pytest
import requests

from support.browser import browser
from support.dag_rights import PASSWORD, guarded, token
from support.days import LONG_AGO, played_day
from support.routes import addresses
from support.standins import PATIENCE_SECONDS
from support.worlds import DAY, ours

pytestmark = pytest.mark.drill
TIMELINE = {
    "04:30": ["schedule_dependency"],
    "05:00": ["schedule_locker"],
    "06:00": ["morning_operations", "post_game_window_1"],
    "22:00": ["post_game_window_1"],
    "+1 01:00": ["post_game_window_2"],
    "+1 05:20": ["cleanup"],
}


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    with played_day(tmp_path_factory.mktemp("stack"), TIMELINE, seed=12, day=DAY, games=2) as played:
        yield played


@pytest.fixture
def page(day):
    with browser(viewport={"width": 1400, "height": 1000}) as context:
        opened = context.new_page()
        opened.set_default_timeout(120_000)
        opened.goto(day.stack.url)
        yield opened


MINE, ANOTHERS = "post_game_window_1", "post_game_window_2"
HOURS = {MINE: 17, ANOTHERS: 20}
"""The ticks from the lock to the one at which every workflow has run."""
OTHER_NAMES = {*ours().workflows, "schedule_locker"} - {MINE}
"""Names that no page may show. The words `cleanup` and `reconcile` are allowed."""


@pytest.fixture(scope="module")
def airflow(day):
    """Airflow with logins and rights for single DAGs."""
    with guarded(day.stack, {"one": [MINE], "none": []}) as url:
        yield url


def run_id(day, workflow):
    [row] = day.rows(
        "SELECT run_id FROM nba_orchestration.v_workflow_decisions "
        f"WHERE DATE(decision_time) > {LONG_AGO} AND workflow_name = '{workflow}' AND action = 'RUN'"
    )
    return row["run_id"]


def test_the_navigation_leads_to_the_day_and_its_address_can_be_shared(day, page):
    page.get_by_role("link", name="Orchestration", exact=True).first.click()
    page.wait_for_url(re.compile("/plugin/orchestration"))
    inner = page.frame_locator("iframe[title=Orchestration]")
    inner.get_by_label("Day", exact=True).fill(DAY.isoformat())
    inner.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile(f"/plugin/orchestration/orchestration/day.day={DAY}"))
    inner.locator(".timeline a.k.completed").first.wait_for()
    page.goto(page.url)
    inner.locator(".timeline a.k.completed").first.wait_for()
    assert inner.locator(".seen").inner_text().startswith("Wed 14 Jan 2026")
    inner.locator("a.k.completed", has_text="RUN completed").last.click()
    inner.get_by_role("heading", name="Every check in order").wait_for()
    inner.get_by_role("link", name="run in Airflow").click()
    page.wait_for_url(re.compile("/dags/post_game_window_2/runs/"))


def test_a_run_has_a_tab_with_its_decision_and_calls(day, page):
    run = run_id(day, "post_game_window_2")
    page.goto(f"{day.stack.url}/dags/post_game_window_2/runs/{quote(run, safe='')}")
    page.get_by_role("link", name="Decision").click()
    inner = page.frame_locator("iframe[title=Decision]")
    inner.get_by_role("heading", name="post_game_window_2 at Thu 15 Jan 01:00 ET").wait_for()
    assert inner.locator("td.o-success").count() > 0
    inner.get_by_role("link", name="log row").first.click()
    inner.get_by_role("heading", name="Try 1").wait_for()


def test_a_dag_has_a_tab_with_its_next_ticks(day, page):
    page.goto(f"{day.stack.url}/dags/post_game_window_1")
    page.get_by_role("link", name="Next ticks").click()
    inner = page.frame_locator("iframe[title='Next ticks']")
    inner.get_by_role("heading", name="the next 24 hours").wait_for()
    assert inner.locator("table.list tbody tr").count() in (18, 19)


def test_airflows_home_page_shows_the_verdict(day, page):
    verdict = page.locator("section[aria-label=Orchestration]")
    verdict.wait_for()
    assert re.match("(UN|NO GAMES|DEGRADED|HEALTHY)", verdict.inner_text())
    verdict.get_by_role("link").click()
    page.wait_for_url(re.compile("/plugin/orchestration"))


def test_light_and_dark_follow_airflow(day, page):
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.goto(f"{day.stack.url}/plugin/orchestration/orchestration/day?day={DAY}")
    inner = page.frame_locator("iframe[title=Orchestration]")
    inner.locator(".timeline").wait_for()
    assert inner.locator("html").get_attribute("data-theme") == "dark"


# ---- access rights with Airflow's own logins


def places(day, workflow):
    """Return every address of our pages about a workflow and its run."""
    call = {"run_id": run_id(day, workflow), "task_id": "nbac_team_boxscore", "map_index": 0}
    offset = HOURS[workflow] * 3600
    return addresses({"day": DAY, "dag_id": workflow, "offset": offset, "name": "page.css", **call})


def ask(url, address, user=None):
    headers = {"Authorization": f"Bearer {token(url, user)}"} if user else {}
    return requests.get(
        f"{url}/orchestration{address}", headers=headers, allow_redirects=False, timeout=PATIENCE_SECONDS
    )


def test_without_a_login_no_page_of_ours_answers(day, airflow):
    for _, address in places(day, MINE):
        reply = ask(airflow, address)
        assert (reply.status_code, reply.json()) == (401, {"detail": "Not authenticated"}), address


def test_an_admin_sees_every_dag(day, airflow):
    for workflow in (MINE, ANOTHERS):
        for _, address in places(day, workflow):
            assert ask(airflow, address, "admin").status_code in (200, 307, 404), address
    seen = ask(airflow, f"/day?day={DAY}", "admin").text
    assert not [name for name in OTHER_NAMES - {"schedule_locker"} if name not in seen]


def test_a_viewer_of_one_dag_sees_only_that_dag_on_every_page(day, airflow):
    for _, address in places(day, MINE):
        reply = ask(airflow, address, "one")
        assert reply.status_code in (200, 307, 404), address
        assert not [name for name in OTHER_NAMES if name in reply.text], address
    for path, address in places(day, ANOTHERS):
        if "{dag_id}" in path:
            reply = ask(airflow, address, "one")
            assert (reply.status_code, reply.json()) == (403, {"detail": "Forbidden"}), address
    assert "of the 1 workflow that you may see" in ask(airflow, f"/day?day={DAY}", "one").text


def test_a_viewer_without_dags_sees_none(day, airflow):
    for path, address in places(day, MINE):
        reply = ask(airflow, address, "none")
        assert reply.status_code == (403 if "{dag_id}" in path else 200), address
        assert not [name for name in (MINE, *OTHER_NAMES) if name in reply.text], address


def test_after_the_login_the_home_page_shows_the_verdict_of_the_viewers_dags(airflow):
    with browser(viewport={"width": 1400, "height": 1000}) as context:
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.goto(airflow)
        page.locator("input[name=username]").fill("one")
        page.locator("input[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        verdict = page.locator("section[aria-label=Orchestration]")
        verdict.wait_for()
        verdict.get_by_role("link").click()
        inner = page.frame_locator("iframe[title=Orchestration]")
        inner.locator(".timeline tbody tr").first.wait_for()
        assert inner.locator(".timeline tbody th").all_inner_texts() == [MINE]
