"""The HTML of the pages: texts, escaping, access, size and number of queries."""

import json
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from orchestration.audit.warehouse import WarehouseError
from orchestration.config import loads
from orchestration.nba.games import Schedule
from orchestration.ui.data import RunState, SentAlert
from orchestration.ui.rendering import SECURITY, visible
from orchestration.words import Action, ExecutionStatus
from support.nights import HOSTILE, MORNING, blocked, many, night, slate, with_decisions, with_execution
from support.pages import Known, Viewer, site
from support.records import missing_file, replace
from support.worlds import DAY, changed, et, ours

CONFIG = ours()


class Site:
    """Our pages with the facts of one day."""

    def __init__(self, facts, now=MORNING, config=CONFIG):
        self.patch = pytest.MonkeyPatch()
        self.data, self.viewer = Known(config, facts, now), Viewer(config)
        self.client = TestClient(site(self.patch, self.data, self.viewer))

    def get(self, path, status=200):
        reply = self.client.get(f"/orchestration{path}")
        assert reply.status_code == status, reply.text[:500]
        return reply.text


@pytest.fixture
def served():
    sites = []

    def serve(*arguments, **more):
        sites.append(Site(*arguments, **more))
        return sites[-1]

    yield serve
    for one in reversed(sites):
        one.patch.undo()


def words(html):
    """Return the text of a page, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_at_six_the_night_comes_first_and_the_new_day_beside_it(served):
    html = served(night()).get("/day")
    assert "HEALTHY: box scores of 12 of 12 games that are due are in" in html
    assert "Wed 14 Jan 2026, seen at" in html
    assert "The new day, Thu 15 Jan" in words(html)


def test_at_six_the_home_page_shows_both_days_too(served):
    said = json.loads(served(night()).get("/verdict"))
    assert said["headline"].startswith("HEALTHY: box scores of 12 of 12 games")
    assert said["beside"].startswith("The new day, Thu 15 Jan: DEGRADED: The locker did not lock 2026-01-15")


def test_the_first_lines_name_a_blocked_source_and_the_next_command(served):
    html = served(blocked(night(), "nbac_team_boxscore")).get("/day")
    assert "blocks us (HTTP 403)" in words(html)[:600]
    assert "Next: bin/orchestration/investigate_scraper_failures.sh --date 2026-01-14" in words(html)[:800]


def test_the_page_has_every_tick_and_links_every_run_to_its_checks(served):
    one = served(night())
    html = one.get("/day?day=2026-01-14")
    assert html.count("<i data-t=") + html.count('class="k ') - html.count('<span class="k ') == 147
    for address in set(re.findall(r'href="(day/[^"]+/\d+)"', html)):
        assert "Every check in order" in one.get(f"/{address}")


def test_a_tick_shows_its_reason_next_check_and_target_date(served):
    brief = words(served(night()).get(f"/day/2026-01-14/betting_lines/{7 * 3600}/brief"))
    assert "12 games, first tip 18:00 ET" in brief
    assert "target date 2026-01-14; next check Wed 14 Jan 13:00 ET; 3 calls: 3 success" in brief


def test_why_shows_checks_values_calls_and_what_must_change_for_a_run(served):
    one = served(night())
    why = words(one.get(f"/day/2026-01-14/post_game_window_1/{5 * 3600}"))
    assert "It runs at a tick within the tolerance" in why
    assert "fixed_time 22:00" in why
    run = one.get(f"/day/2026-01-14/post_game_window_1/{17 * 3600}")
    assert "log row" in run
    assert "&#34;force&#34;: true" in run


def test_a_dags_tab_shows_the_next_24_hours_and_a_system_dag_says_what_it_is(served):
    one = served(night(until=et("15:30")), now=et("15:30"))
    tab = words(one.get("/dags/post_game_window_1/next"))
    assert "Wed 14 Jan 22:00 expected" in tab
    assert "Thu 15 Jan 15:00" in tab
    assert "no decision rule" in words(one.get("/dags/cleanup/next"))


class Run:
    def __init__(self, run_id, moment):
        self.run_id, self.run_type, self.conf, self.start_date = run_id, "scheduled", {}, moment
        self.logical_date = self.run_after = moment
        self.triggering_user_name = None


def test_a_runs_tab_shows_decision_checks_and_calls(served):
    one = served(night())
    run_id = f"scheduled__{et('22:00').isoformat()}"
    one.viewer.run = Run(run_id, et("22:00"))
    path = f"/dags/post_game_window_1/run?run_id={run_id.replace('+', '%2B')}"
    tab = words(one.get(path))
    assert "post_game_window_1 at Wed 14 Jan 22:00 ET: RUN completed" in tab
    assert "games of 2026-01-14 to collect" in tab
    assert "nbac_team_boxscore 00225000" in tab
    one.viewer.run = None
    one.get(path, 404)


def test_past_dates_hours_and_tomorrow_can_be_opened(served):
    one = served(night())
    assert "as of" in words(one.get("/day?day=2026-01-14&as_of=22:50"))
    assert 'value="22:50"' in one.get("/day?day=2026-01-14&as_of=2026-01-14T22:50")
    assert "The plan of Fri 16 Jan 2026" in one.get("/day?day=2026-01-16")
    for bad in ("day=x", "day=2026-01-14&as_of=99", "day=9999-12-31", "day=%00"):
        assert "is not valid" in one.get(f"/day?{bad}", 400)


def test_halt_and_mode_are_alerts_above_everything(served):
    config = changed(settings__halt={"reason": "off-season <b>"})
    html = served(night(), config=config).get("/day")
    assert html.index('role="alert"><b>HALT</b> Halted: off-season &lt;b&gt;') < html.index('id="verdict"')


def test_shadow_mode_stands_above_the_page_or_in_the_row_of_one_workflow(served):
    html = served(night(), config=changed(settings__mode="shadow", settings__history_dataset="theirs")).get("/day")
    assert html.index("<b>SHADOW</b>") < html.index('id="verdict"')
    html = served(night(), config=changed(workflows__betting_lines__mode="shadow")).get("/day")
    assert "<b>SHADOW</b>" not in html
    assert html.count('<b class="shadow">shadow</b>') == 1


# ---- hostile text, and files that are not ours


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.scripts, self.inline = [], []

    def handle_starttag(self, tag, attrs):
        if tag == "script":
            self.scripts.append(dict(attrs).get("src"))
        self.inline += [name for name, _ in attrs if name.startswith("on") or name == "style"]


def hostile_night():
    facts = with_decisions(night(), "betting_lines", et("12:00"), reason=HOSTILE, action=Action.ABORT)
    facts = with_execution(facts, "post_game_window_1", error_message=HOSTILE, status=ExecutionStatus.FAILED)
    last = replace(
        facts.cleanups[-1],
        missing_files_found=1,
        errors=(HOSTILE,),
        missing_files=(missing_file("gs://b/<script>", 5, "<script>x"),),
    )
    games = tuple(replace(g, status_text="<script>final", home="<script>h") for g in facts.schedule.games)
    return replace(
        facts,
        cleanups=(*facts.cleanups[:-1], last),
        schedule=Schedule(games, facts.schedule.refreshed_at),
        calls=tuple(
            replace(c, label=HOSTILE, error_message=HOSTILE, gcs_path='javascript:"><script>') for c in facts.calls
        ),
    )


@pytest.mark.parametrize(
    "path",
    [
        "/day", "/day?day=2026-01-14", "/day/2026-01-14/betting_lines", f"/day/2026-01-14/betting_lines/{7 * 3600}",
        f"/day/2026-01-14/betting_lines/{7 * 3600}/brief", f"/day/2026-01-14/post_game_window_1/{17 * 3600}",
    ],
)  # fmt: skip
def test_hostile_text_is_escaped(served, path):
    one = served(hostile_night())
    one.viewer.sent = [SentAlert("<script>kind", "<script>about\u202e", DAY)]
    html = one.get(path)
    tags = Tags()
    tags.feed(html)
    assert all(source.startswith("/orchestration/static/page.js") for source in tags.scripts)
    assert tags.inline == []
    assert not re.search("[\x00\u202e]", html)
    assert "&lt;script&gt;" in html
    assert 'href="javascript' not in html
    assert "A" * 2100 not in html
    if "betting_lines/" in path:
        assert "[U+202E]gnp.exe[U+0000]" in html


def test_control_and_invisible_characters_are_written_out():
    assert visible("a\u2066b\u200bc\ufeff\x1b[31m\ud800") == "a[U+2066]b[U+200B]c[U+FEFF][U+001B][31m[U+D800]"
    assert visible("Žalgiris 🏀 עברית\n") == "Žalgiris 🏀 עברית\n"


def test_a_bad_address_is_shown_as_text(served):
    one = served(night())
    assert "&lt;script&gt;" in one.get("/day?day=<script>", 400)
    assert "<script>" not in one.get("/day/2026-01-14/betting_lines?as_of=%3Cscript%3E", 400).replace("<script src", "")


@pytest.mark.parametrize("path", ["/day", "/day/2026-01-14/betting_lines", "/day?day=x", "/static/page.js"])
def test_only_our_own_scripts_may_run(served, path):
    reply = served(night()).client.get(f"/orchestration{path}")
    policy = reply.headers["content-security-policy"]
    assert policy == SECURITY["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["page.py", "..%2fapp.py", "%2e%2e%2fapp.py", "", ".", "nothing.css"])
def test_only_our_own_files_are_sent(served, name):
    assert served(night()).client.get(f"/orchestration/static/{name}").status_code == 404


# ---- who sees what


def test_a_viewer_with_half_of_the_dags_sees_half_on_every_page(served):
    one = served(blocked(night(), "nbac_team_boxscore"))
    one.get("/day")  # another viewer fills the cache first
    one.viewer.dags = frozenset({"betting_lines", "post_game_window_1"})
    html = one.get("/day")
    for name in set(CONFIG.workflows) - one.viewer.dags:
        assert name not in html, name
    assert "6 workflows hidden (no access)" in html
    for path in ("/day/2026-01-14/morning_operations", "/day/2026-01-14/morning_operations/3600", "/dags/cleanup/next"):
        one.get(path, 403)
    assert "of the 2 workflows" in one.get("/verdict")


def test_a_viewer_without_access_learns_nothing(served):
    one = served(blocked(night(), "nbac_team_boxscore"))
    one.viewer.dags = frozenset()
    html = one.get("/day")
    assert "You may see no workflow" in html
    assert "UNHEALTHY" not in html
    assert "00225000" not in html


# ---- fast and cheap


@pytest.mark.parametrize("now", ["+1 06:25", "15:30"])
def test_a_page_of_200_workflows_stays_under_300_kb(served, now):
    config, moment = many(200), et(now)
    assert len(config.enabled) == 200
    html = served(night(config, slate(15), until=moment), moment, config).get("/day")
    assert html.count('<tr><th scope="row"><a href="day/') == 200
    assert len(html.encode()) < 300_000


def test_a_page_costs_three_queries_at_most_for_any_number_of_viewers(served):
    for now in (MORNING, et("15:30")):
        one = served(night(until=now), now)
        for number in range(100):
            one.viewer.dags = None if number % 2 else frozenset({"betting_lines"})
            one.get("/day")
        assert len(one.data.reads) == 3
    one.data.reads.clear()
    one.get("/day/2026-01-14/betting_lines")
    one.get(f"/day/2026-01-14/betting_lines/{7 * 3600}/brief")
    assert one.data.reads == []


def test_a_day_that_is_over_costs_one_query(served):
    one = served(night(), et("+2 15:30"))
    html = one.get("/day?day=2026-01-14")
    assert one.data.reads == ["facts"]
    assert "data-refresh" not in html
    assert "data-refresh" in one.get("/day")


# ---- when something is down


def test_without_bigquery_the_page_shows_the_runs_in_airflows_database(served):
    one = served(night())
    one.data.failing = WarehouseError("BigQuery did not answer: <b>bq:9050 cannot be reached")
    one.viewer.runs = [
        RunState("betting_lines", "r1", "success", et("12:00")),
        RunState("betting_lines", "r<2>", "failed", et("13:00")),
    ]
    html = one.get("/day", 503)
    assert "UNKNOWN: BigQuery did not answer: &lt;b&gt;bq:9050 cannot be reached" in html
    assert "airflow connections get google_cloud_default" in html
    assert '<a target="_top" href="/dags/betting_lines/runs/r%3C2%3E">13:00 failed</a>' in html
    assert "Only BigQuery has their decisions" in html
    assert '"verdict":"UNKNOWN"' in one.get("/verdict")
    one.get("/dags/betting_lines/next", 503)


def test_the_recorded_decision_is_shown_even_if_its_checks_cannot_be_evaluated(served):
    one = served(night())
    one.get("/day")
    one.data.failing = WarehouseError("BigQuery did not answer")
    why = words(one.get(f"/day/2026-01-14/betting_lines/{7 * 3600}"))
    assert "12 games, first tip 18:00 ET" in why
    assert "The checks cannot be evaluated: BigQuery did not answer" in why


def test_a_broken_configuration_is_named(served, monkeypatch):
    one = served(night())

    def broken():
        loads("version: 1")

    one.data.config = broken
    html = one.get("/day", 503)
    assert "UNKNOWN: the configuration cannot be read" in html
    assert "scrapers" in html


def test_an_empty_day_has_a_page(served):
    one = served(night(), now=et("+1 06:25") + timedelta(days=40))
    assert "No workflow made a decision" in one.get("/day?day=2026-01-20")
