"""The page of the day in a real browser: its content, access rights, keyboard, phone, light and dark."""

import re
from datetime import date, timedelta

import pytest

from orchestration.audit.warehouse import WarehouseError
from orchestration.health.facts import DayFacts
from orchestration.nba.games import Schedule
from orchestration.words import Action, ExecutionStatus, Outcome
from support.browser import accessibility_faults, browser
from support.nights import HOSTILE, MORNING, blocked, many, night, slate, with_decisions, with_execution, without
from support.pages import Known, Viewer, serving, site
from support.records import missing_files, replace
from support.worlds import DAY, changed, et, ours

pytestmark = pytest.mark.drill
CONFIG = ours()
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture
def opened(monkeypatch):
    """Return a function that opens a page with given facts. The browser must log no error."""
    import contextlib

    with contextlib.ExitStack() as stack:

        def start(facts, now=MORNING, config=CONFIG, path="/orchestration/day", viewport=WIDE, dags=None, **options):
            data, viewer = Known(config, facts, now), Viewer(config)
            viewer.dags = dags
            url = stack.enter_context(serving(site(monkeypatch, data, viewer)))
            page = stack.enter_context(browser(viewport=viewport, **options)).new_page()
            page.complaints = []
            page.on("console", lambda m: m.type in ("error", "warning") and page.complaints.append(m.text))
            page.on("pageerror", lambda error: page.complaints.append(str(error)))
            page.goto(url + path)
            page.data, page.viewer, page.home = data, viewer, url
            return page

        yield start


def headline(page):
    return page.locator("h1").inner_text()


def shows(page, place, text):
    """Wait until an element shows a text. The page's policy forbids evaluating strings, also for tests."""
    from playwright.sync_api import expect

    expect(page.locator(place)).to_contain_text(text)


def fits(page):
    """Assert that the page does not scroll sideways. Wide parts scroll in their own box."""
    wide, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    return wide <= window


def test_a_healthy_night_is_one_green_line_with_all_runs_below(opened):
    page = opened(night())
    assert "HEALTHY: box scores of 12 of 12 games that are due are in" in headline(page)
    assert page.locator("#verdict.healthy").is_visible()
    assert page.locator(".timeline tbody tr").count() == len(CONFIG.enabled)
    assert page.locator(".timeline .k.completed").count() == sum(d.action is Action.RUN for d in night().decisions)
    assert page.locator(".games .g-collected").count() >= 12 * 5
    assert page.complaints == []
    assert accessibility_faults(page) == []


FAULTS = {
    "source blocked": (lambda f: blocked(f, "nbac_team_boxscore"), "blocks us (HTTP 403)", ".k.failed"),
    "service down": (
        lambda f: replace(
            blocked(f, "nbac_team_boxscore"),
            calls=tuple(
                replace(c, error_type="connection") if c.error_type else c
                for c in blocked(f, "nbac_team_boxscore").calls
            ),
        ),
        "The scraper service is unreachable",
        ".k.failed",
    ),
    "scheduler down": (
        lambda f: replace(
            f,
            decisions=tuple(d for d in f.decisions if not et("14:00") <= d.tick < et("17:00")),
            executions=tuple(e for e in f.executions if not et("14:00") <= e.tick < et("17:00")),
        ),
        "Check whether the scheduler was down",
        ".k.missing",
    ),
    "locker off": (lambda f: replace(f, expected=()), "The locker did not lock", "#verdict.degraded"),
    "props empty": (
        lambda f: replace(
            f,
            calls=tuple(
                replace(c, status=Outcome.NO_DATA) if c.scraper_name == "oddsa_player_props" else c for c in f.calls
            ),
        ),
        "found no data",
        "#verdict.degraded",
    ),
    "phase 2 dead": (
        lambda f: replace(
            f,
            cleanups=tuple(
                replace(
                    c,
                    missing_files_found=10,
                    missing_files=missing_files(10, 200),
                    errors=("10 files: republished in vain",),
                )
                for c in f.cleanups
            ),
        ),
        "Phase 2 does not deliver",
        ".cards b",
    ),
    "topic gone": (
        lambda f: replace(
            f,
            cleanups=tuple(
                replace(c, missing_files_found=3, errors=("3 messages were not published: 404",)) for c in f.cleanups
            ),
        ),
        "Pub/Sub takes no messages",
        ".cards .note",
    ),
    "bigquery was down": (
        lambda f: replace(
            f,
            decisions=tuple(
                replace(d, action=Action.ABORT, rule="history_unreadable", reason="History unreadable: timeout")
                if d.tick >= et("+1 04:00") or d.tick == et("23:00")
                else d
                for d in f.decisions
            ),
        ),
        "BigQuery did not answer",
        ".k.abort",
    ),
    "a game is missing": (
        lambda f: replace(
            f,
            calls=tuple(c for c in f.calls if (c.scraper_name, c.game_id) != ("nbac_team_boxscore", "0022500002")),
        ),
        "Data is missing for 1 of 12 games",
        ".g-missing",
    ),
    "vetoed": (
        lambda f: with_execution(
            f, "morning_operations", status=ExecutionStatus.FAILED, error_message="Vetoed by ann at 06:02 ET: not now"
        ),
        "Vetoed by ann",
        ".k.vetoed",
    ),
    "nobody executes": (
        lambda f: replace(f, executions=tuple(e for e in f.executions if e.workflow_name != "post_game_window_3")),
        "RUN without execution",
        ".k.unexecuted",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_first_line_names_the_fault_and_the_timeline_shows_it(opened, fault):
    breaks, says, shown = FAULTS[fault]
    page = opened(breaks(night()))
    assert says in headline(page)
    assert page.locator(shown).first.is_visible()
    assert "Next:" in page.locator("#verdict").inner_text()
    assert page.complaints == []
    assert accessibility_faults(page) == []


def test_a_phone_shows_the_verdict_the_cause_and_the_command_without_scrolling(opened):
    page = opened(blocked(night(), "nbac_team_boxscore"), viewport=PHONE)
    for place in ("h1", "#verdict .command"):
        box = page.locator(place).first.bounding_box()
        assert box["y"] + box["height"] < PHONE["height"]
    assert fits(page)
    assert accessibility_faults(page) == []
    page.goto(f"{page.home}/orchestration/day/2026-01-14/post_game_window_3/{23 * 3600}")
    assert fits(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_follow_the_system_outside_of_airflow(opened, scheme):
    page = opened(blocked(night(), "nbac_team_boxscore"), color_scheme=scheme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 23, 28)"}[scheme]
    assert accessibility_faults(page) == []


def test_in_airflows_frame_the_page_follows_airflows_theme_and_links_open_outside(opened):
    page = opened(night(), path="/plugin/orchestration")
    inner = page.frame_locator("iframe")
    assert "HEALTHY" in inner.locator("h1").inner_text()
    theme = "document.querySelector('iframe').contentDocument.documentElement.dataset.theme"
    assert page.evaluate(theme) == "light"
    page.evaluate("document.documentElement.className = 'dark'")
    page.wait_for_function(f"() => {theme} === 'dark'")
    inner.locator(".timeline .k").first.hover()
    inner.locator("#detail a", has_text="run in Airflow").click()
    page.wait_for_url(re.compile("/dags/schedule_dependency/runs/scheduled__"))
    assert page.title().startswith("Airflow: schedule_dependency/runs/")


def test_hovering_over_a_tick_shows_its_reason_and_a_click_its_checks(opened):
    page = opened(night())
    row = page.locator("tr", has=page.get_by_role("rowheader", name="betting_lines"))
    row.locator("i").first.hover()
    page.wait_for_selector("#detail b")
    assert "SKIP" in page.locator("#detail").inner_text()
    row.locator(".k").first.hover()
    shows(page, "#detail", "RUN completed")
    said = page.locator("#detail").inner_text()
    assert "12 games, first tip 18:00 ET" in said
    assert "target date 2026-01-14; next check" in said
    row.locator(".k").first.click()
    assert headline(page).startswith("Why betting_lines at Wed 14 Jan 12:00 ET?")
    assert page.get_by_role("heading", name="Every check in order").is_visible()
    assert accessibility_faults(page) == []
    page.go_back()
    row.locator("i").last.click()
    assert "What must change for a RUN" in page.locator("main").inner_text()


def test_the_keyboard_alone_reaches_a_failed_run_its_checks_and_other_days(opened):
    page = opened(blocked(night(), "nbac_team_boxscore"))
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.timeline .k')"):
            break
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    focused = "document.activeElement.closest('tr').querySelector('th').innerText"
    assert page.evaluate(focused) == "morning_operations"
    shows(page, "#detail", "morning_operations")
    while page.evaluate("!document.activeElement.matches('.failed')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/post_game_window_1/\d+$"))
    page.goto(f"{page.home}/orchestration/day?day=2026-01-14")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("day=2026-01-15"))
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile("day=2026-01-14"))


def test_the_address_holds_the_day_and_hour(opened):
    page = opened(night())
    page.get_by_label("as of (ET)").fill("22:50")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("day=2026-01-14&as_of=22%3A50"))
    assert "as of Wed 14 Jan 2026 22:50:00 ET" in page.locator(".seen").inner_text()
    assert page.locator(".k.expected").count() > 0


def test_the_page_works_without_javascript(opened):
    page = opened(blocked(night(), "nbac_team_boxscore"), java_script_enabled=False)
    assert "blocks us" in headline(page)
    assert "No decision" not in page.locator(".timeline i").first.get_attribute("title")
    page.locator("a.k.failed").first.click()
    assert page.get_by_role("heading", name="Every check in order").is_visible()
    page.get_by_role("link", name="all ticks of").click()
    assert page.locator("table.list tbody tr").count() == 18
    page.get_by_role("link", name="← Wed 14 Jan 2026").click()
    page.locator("#before").click()
    assert "day=2026-01-13" in page.url


def test_the_page_refreshes_itself_and_keeps_its_scroll_position(opened):
    page = opened(night(until=et("21:50")), et("21:50"), viewport={"width": 700, "height": 500})
    page.clock.install()
    page.reload()
    page.wait_for_load_state("networkidle")
    box = page.locator("#timeline")
    box.evaluate("box => (box.scrollLeft = 77)")
    page.locator("#legend summary").click()
    page.evaluate("window.scrollTo(0, 120)")
    page.locator("a.k").nth(3).focus()
    which = "document.activeElement.closest('.timeline .k, .timeline i[data-t=\"61200\"]') !== null"
    assert page.evaluate(which)
    place = page.evaluate("window.scrollY"), box.evaluate("box => box.scrollLeft")
    page.data.facts, page.data.now = night(until=et("22:20")), et("22:20")
    page.data.days.clear()
    page.clock.run_for(61_000)
    shows(page, "time", "22:20")
    assert page.evaluate(which), "the expected run has become a SKIP, and the focus stays on it"
    assert (page.evaluate("window.scrollY"), box.evaluate("box => box.scrollLeft")) == place
    assert page.locator("#legend").get_attribute("open") is not None
    page.data.failing = WarehouseError("BigQuery did not answer")
    page.data.days.clear()
    page.clock.run_for(61_000)
    page.wait_for_selector("#stale")
    assert "HTTP 503" in page.locator("#stale").inner_text()
    assert page.locator(".timeline").is_visible()


def test_200_workflows_are_readable_and_small(opened):
    config = many(200)
    page = opened(night(config, slate(15)), config=config)
    assert page.locator(".timeline tbody tr").count() == 200
    assert page.evaluate("document.documentElement.outerHTML.length") < 300_000
    page.locator(".timeline .k").nth(100).hover()
    page.wait_for_selector("#detail b")
    assert fits(page)
    assert accessibility_faults(page) == []


def inside(box, *parts):
    """Return whether these parts are in the visible area of a scrolling box."""
    frame, places = box.bounding_box(), [part.bounding_box() for part in parts]
    return all(frame["y"] <= p["y"] and p["y"] + p["height"] <= frame["y"] + frame["height"] for p in places)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_among_200_workflows_the_failed_one_is_visible_with_its_hour_and_games(opened, viewport):
    config = many(200)
    last = list(config.enabled)[-2]
    facts = with_execution(night(config, slate(15)), last, status=ExecutionStatus.FAILED, error_message="it broke")
    page = opened(facts, config=config, viewport=viewport)
    box = page.locator("#timeline")
    assert inside(box, page.locator(".timeline .k.failed"), page.locator(".timeline thead th").first)
    assert page.evaluate("document.documentElement.scrollHeight") < 4 * viewport["height"]
    assert fits(page)
    assert accessibility_faults(page) == []


def test_a_viewer_sees_only_the_dags_with_read_access(opened):
    half = frozenset({"betting_lines", "post_game_window_1", "post_game_window_2", "injury_discovery"})
    page = opened(blocked(night(), "nbac_team_boxscore"), dags=half)
    assert page.locator(".timeline tbody tr").count() == 4
    text = page.locator("body").inner_text()
    assert not [name for name in set(CONFIG.workflows) - half if name in text]
    assert "4 workflows hidden (no access)" in text


def hostile():
    facts = with_decisions(night(), "betting_lines", et("12:00"), reason=HOSTILE, action=Action.ABORT)
    facts = with_execution(facts, "morning_operations", error_message=HOSTILE, status=ExecutionStatus.FAILED)
    games = tuple(replace(g, status_text="<img src=x onerror=alert(1)>", home="<b>") for g in facts.schedule.games)
    return replace(facts, schedule=Schedule(games, facts.schedule.refreshed_at))


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_hostile_texts_are_shown_and_never_executed(opened, viewport):
    page = opened(hostile(), viewport=viewport)
    page.on("dialog", lambda dialog: page.complaints.append(dialog.message))
    assert "<script>alert('x')</script>" in page.locator("body").inner_text()
    assert fits(page)
    page.locator(".timeline .k.abort").hover()
    shows(page, "#detail", "[U+202E]gnp.exe[U+0000]")
    page.locator(".timeline .k.abort").click()
    assert fits(page)
    assert page.locator("main script, main img").count() == 0
    assert page.complaints == []


SPRING, AUTUMN = date(2026, 3, 7), date(2025, 11, 1)


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25)], ids=["spring", "autumn"])
def test_the_page_shows_both_clock_changes(opened, day, hours):
    facts = night(games=slate(5, day), day=day)
    page = opened(facts, et("+1 06:25", day), path=f"/orchestration/day?day={day}")
    heads = page.locator(".timeline thead th").all_inner_texts()[1:]
    assert len(heads) == hours
    assert ("01 EDT" in heads and "01 EST" in heads) is (hours == 25)
    assert ("02" in heads) is (hours == 25)
    assert page.locator(".timeline .missing").count() == 0
    assert "HEALTHY" in headline(page)


def test_the_page_shows_a_halt_a_future_plan_and_an_invalid_date(opened):
    config = changed(settings__halt={"reason": "off-season"})
    page = opened(night(), config=config)
    assert page.get_by_role("alert").first.inner_text().startswith("HALT Halted: off-season")
    assert accessibility_faults(page) == []
    page.goto(f"{page.home}/orchestration/day?day={DAY + timedelta(days=3)}")
    assert "The plan of" in headline(page)
    page.goto(f"{page.home}/orchestration/day?day=nonsense")
    assert "is not valid" in headline(page)
    assert accessibility_faults(page) == []


def test_without_bigquery_the_page_shows_the_cause_and_a_command(opened):
    page = opened(night())
    page.data.failing = WarehouseError("BigQuery did not answer: bq:9050 cannot be reached")
    page.data.days.clear()
    page.reload()
    assert "UNKNOWN: BigQuery did not answer" in headline(page)
    assert page.get_by_role("heading", name="in Airflow's own database").is_visible()
    assert accessibility_faults(page) == []


def test_held_late_and_missing_ticks_look_different(opened):
    now = et("22:03")
    facts = without(night(until=now), "betting_lines", et("22:00"), et("20:00"))
    page = opened(facts, now)
    assert page.locator(".timeline .k.running").count() == 1
    assert page.locator(".timeline .k.late").count() == 1
    assert page.locator(".timeline .k.missing").count() == 1
    shapes = {
        page.locator(f".k.{code}").first.evaluate(
            "e => [getComputedStyle(e, '::before').content, getComputedStyle(e).borderStyle].join()"
        )
        for code in ("running", "late", "missing", "completed")
    }
    assert len(shapes) == 4
    page.locator(".timeline .k.running").click()
    assert page.get_by_role("link", name="run now or veto, in Airflow").is_visible()


def test_a_day_without_data_is_a_valid_page(opened):
    page = opened(DayFacts(DAY, Schedule()), path=f"/orchestration/day?day={DAY}")
    assert "UNKNOWN: No workflow made a decision" in headline(page)
    assert accessibility_faults(page) == []
