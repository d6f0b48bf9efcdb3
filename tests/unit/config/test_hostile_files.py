"""What somebody could write into workflows.yaml, by mistake or not: each refused at once, with its place."""

import itertools
import re
import time

import pytest
import yaml

from orchestration.config import ConfigError, loads
from orchestration.vocabulary.source import MAX_BYTES, MAX_DEPTH, parse
from orchestration.vocabulary.templates import problem_with
from orchestration.words import FanOut
from support.worlds import ROOT

OURS = """version: '2.0'
scrapers:
  oddsa_events:
    critical: true
    pool: odds_api
  oddsa_player_props: {depends_on: oddsa_events, critical: true}
  box_scores: {parameters: {date: '{{ target_date | ds }}'}}
workflows:
  betting_lines:
    decision_type: game_aware
    execution_plan:
      step_1: {scrapers: [oddsa_events]}
      step_2: {scrapers: [oddsa_player_props]}
  window:
    decision_type: game_aware_yesterday
    schedule: {fixed_time: '22:00'}
    execution_plan: {scraper: box_scores}
settings:
  cleanup_processor: {lookback_hours: 6, min_file_age_minutes: 30}
  pools: {odds_api: 8}
"""
WORKFLOW = "  betting_lines:\n"
SECONDS = 5
"""Far above what any of it takes (a tenth of a second), far below the minutes that it took."""


def said_of(text):
    with pytest.raises(ConfigError) as caught:
        loads(text, "w.yaml")
    return str(caught.value)


def with_workflow(key):
    assert WORKFLOW in OURS
    return OURS.replace(WORKFLOW, f"  {key}:\n", 1)


def in_workflow(line):
    return OURS.replace(WORKFLOW, f"{WORKFLOW}    {line}\n", 1)


def in_scraper(line):
    return OURS.replace("    critical: true\n", f"    critical: true\n    {line}\n", 1)


def in_settings(line):
    return OURS.replace("settings:\n", f"settings:\n  {line}\n", 1)


@pytest.mark.parametrize(
    "name",
    [
        "late night",
        "late/night",
        "spät",
        "'late '",
        '"late\\n"',
        "a" * 251,
        "a..b",
        ".",
        "..",
        "-a",
        "''",
        "<b>",
        "a,b",
    ],
)
def test_a_name_that_cannot_be_an_id_in_airflow_is_refused(name):
    text = with_workflow(name)
    line = text[: text.index(f"  {name}:\n")].count("\n") + 1
    assert said_of(text).splitlines()[1].startswith(f"w.yaml:{line}:3: workflows.")


@pytest.mark.parametrize("name", ["late.night", "late-night", "a" * 250, "Late_Night2"])
def test_a_workflow_name_that_airflow_accepts_loads(name):
    assert name in loads(with_workflow(name)).config.workflows


@pytest.mark.parametrize("key", ["null", "true", "on", "1", "1.5", "2026-01-14", "~", "[a]", "{a: b}"])
def test_a_key_that_is_not_text_is_refused(key):
    text = f"  ? {key}\n  :\n" if key[0] in "[{" else f"  {key}:\n"
    said = said_of(OURS.replace(WORKFLOW, text, 1))
    assert "a key must be text" in said or "is not allowed" in said
    assert re.match(r"w\.yaml:\d+:\d+: workflows", said.splitlines()[1])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (in_workflow(f"tags: ['{'t' * 101}']"), "at most 100 characters"),
        (in_workflow("tags: ['']"), "at least 1 character"),
        (in_workflow("owner: 'a, b'"), "without commas"),
        (in_workflow("owner: ''"), "at least 1 character"),
        (in_workflow("deadline_minutes: 1.0e+12"), "less than or equal to 20160"),
        (in_workflow('contacts: ["a\\0b"]'), "U+0000 is not allowed"),
        (in_workflow("contacts: ['" + "x" * 10_001 + "']"), "10,001 characters"),
        (in_workflow("halt: {reason: x, until: 2026}"), "must be a date"),
        (in_workflow("halt: {reason: x, until: 2026-02-14 00:00}"), "must be a date"),
        (in_workflow("halt: {reason: x, until: 2026-02-14T00:00:00}"), "must be a date"),
        (in_workflow("halt: {reason: x, until: '1764081871'}"), "must be a date"),
        (in_workflow("halt: {reason: x, until: 2026-13-45}"), "cannot be read as timestamp"),
        (in_scraper("estimated_duration_seconds: .inf"), "finite number"),
        (in_scraper("estimated_duration_seconds: .nan"), "finite number"),
        (in_scraper("estimated_duration_seconds: 1.0e+308"), "less than or equal to 86400"),
        (in_scraper("retries: true"), "must be a number, not true"),
        (OURS.replace("critical: true", "critical: 1", 1), "must be true or false, not 1"),
        (OURS.replace("pool: odds_api", "pool: ''", 1), "at least 1 character"),
        (OURS.replace("odds_api: 8", "odds_api: 99999999999", 1), "less than or equal to 100000"),
        (OURS.replace("odds_api: 8", "odds_api: true", 1), "must be a number, not true"),
        (OURS.replace("odds_api: 8", f"odds_api: 8, {'p' * 257}: 1", 1), "at most 256 characters"),
        (
            OURS.replace("min_file_age_minutes: 30", "min_file_age_minutes: 1000000000000000"),
            "less than or equal to 4320",
        ),
        (in_settings("schedule_max_age_hours: 1.0e+12"), "less than or equal to 8784"),
        (in_settings("first_tick: '23:30'"), "first_tick 23:30 lies after last_tick 23:00"),
        (OURS.replace("fixed_time: '22:00'", "fixed_time: 400"), "must be an ET wall time"),
        (OURS.replace("fixed_time: '22:00'", "fixed_time: 22.0"), "must be an ET wall time"),
        (OURS.replace("fixed_time: '22:00'", "fixed_time: ٢٢:00"), "must be an ET wall time"),
        (OURS.replace("version: '2.0'", "version: !!python/name:os.system"), "is not allowed"),
        (OURS.replace("version: '2.0'", "version: !!timestamp x"), "cannot be read as timestamp"),
    ],
    ids=lambda value: value if len(value) < 60 else "",
)
def test_a_value_that_airflow_could_not_use_is_refused_with_its_place(text, says):
    assert text != OURS
    said = said_of(text)
    assert says in said
    assert all(re.match(r"w\.yaml:\d+:\d+: ", line) for line in said.splitlines()[1:])


@pytest.mark.parametrize("name", ["decide", "hold", "skip", "abort", "finish"])
def test_a_scraper_or_step_with_the_name_of_one_of_our_tasks_is_refused(name):
    assert f"`{name}` is a task of every workflow" in said_of(OURS.replace("box_scores", name))
    assert f"`{name}` is a task of every workflow" in said_of(OURS.replace("step_1:", f"{name}:"))


def test_a_step_with_the_name_of_its_scraper_is_refused():
    assert "`oddsa_events` is also the name of a step" in said_of(OURS.replace("step_1:", "oddsa_events:"))


def test_an_event_source_with_for_each_is_refused():
    text = OURS.replace("  oddsa_events:\n", "  oddsa_events:\n    for_each: team\n", 1)
    assert "must be one call, without for_each" in said_of(text)


def test_the_cleanup_has_ticks_when_every_workflow_is_switched_off():
    config = loads(OURS.replace("    decision_type:", "    enabled: false\n    decision_type:")).config
    assert not config.enabled
    assert config.cleanup_ticks.crons()


def test_numbers_with_leading_zeros_or_colons_stay_text():
    data = parse(
        b"a: 22:00\nb: 010\nc: 0x10\nd: 0022500123\ne: 1:30.5\nf: 12\ng: -0\nh: 1.5\ni: '7'\nj: 1.0e+3", "x"
    ).data
    assert data == {
        "a": "22:00",
        "b": "010",
        "c": "0x10",
        "d": "0022500123",
        "e": "1:30.5",
        "f": 12,
        "g": 0,
        "h": 1.5,
        "i": "7",
        "j": 1000.0,
    }


def test_a_merged_key_can_be_overridden():
    text = OURS.replace(WORKFLOW, "  betting_lines: &base\n", 1).replace(
        "settings:\n", "  flow2: {<<: *base, priority: LOW}\n\nsettings:\n", 1
    )
    config = loads(text).config
    assert config.workflows["flow2"].priority == "LOW"
    assert config.workflows["flow2"].schedule == config.workflows["betting_lines"].schedule
    assert config.workflows["betting_lines"].priority != "LOW"


def test_own_keys_win_over_merges_and_the_first_merge_wins_over_later_ones():
    data = parse(b"a: &a {x: 1, y: 1, z: 1}\nb: &b {<<: *a, y: 2, z: 2}\nc: {z: 3, <<: [*b, *a]}", "x").data
    assert data["b"] == {"x": 1, "y": 2, "z": 2}
    assert data["c"] == {"x": 1, "y": 2, "z": 3}


def test_a_duplicate_key_beside_a_merge_is_refused():
    assert "duplicate key" in said_of("a: &a {x: 1}\nb: {<<: *a, x: 2, x: 3}")


def nested(line):
    names = "abcdefghijkl"
    return "a: &a {x: 1}\n" + "".join(
        line.format(name, ",".join([f"*{before}"] * 9)) for before, name in itertools.pairwise(names)
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000, f"more than {MAX_DEPTH} levels"),
        ("a: " + "[" * 100_000 + "]" * 100_000, f"more than {MAX_DEPTH} levels"),
        ("{a: " * 100_000, f"more than {MAX_DEPTH} levels"),
        ("- " * 100_000, f"more than {MAX_DEPTH} levels"),
        ("? " * 100_000, f"more than {MAX_DEPTH} levels"),
        ("\n".join(" " * depth + "a:" for depth in range(1000)), f"more than {MAX_DEPTH} levels"),
        (nested("{0}: &{0} {{<<: [{1}]}}\n"), "aliases count each time"),
        (nested("{0}: &{0} [{1}]\n"), "aliases count each time"),
        ("a: &a {<<: *a, x: 1}", "back to itself"),
        ("a: &a [*a]", "levels deep"),
        ("a: [" + "x," * 2_000_000 + "]", "values"),
        ("version: " + "9" * 1_000_000, "1,000,000 characters"),
        ("version: 1" + ":1" * 1_000_000, "2,000,001 characters"),
        ("version: '1'\nscrapers:\n" + "".join(f" s{n}: {{x: 1}}\n" for n in range(4000)), "and 3951 more"),
        ("#" * (MAX_BYTES + 1), "bytes are more than"),
    ],
    ids=["open", "brackets", "maps", "lists", "keys", "indents", "merges", "aliases", "merges itself", "holds itself",
         "long", "digits", "sixties", "errors", "bytes"],
)  # fmt: skip
def test_a_file_too_large_or_too_deep_is_refused_at_once(text, says):
    started = time.process_time()
    assert says in said_of(text)
    assert time.process_time() - started < SECONDS


def test_a_file_with_a_thousand_workflows_is_parsed():
    data = yaml.safe_load((ROOT / "config" / "workflows.yaml").read_text())
    shipped = list(data["workflows"].values())
    data["workflows"] = {f"workflow_{number}": shipped[number % len(shipped)] for number in range(1000)}
    assert len(parse(yaml.safe_dump(data).encode(), "workflows.yaml").data["workflows"]) == 1000


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ 'x' * 1000000000 }}", "Mul is not allowed"),
        ("{{ 9 ** 9 ** 9 ** 9 }}", "Pow is not allowed"),
        ("{{ '%1000000000d' % 1 }}", "Mod is not allowed"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "For is not allowed"),
        ("{{ range(99999) | list }}", "Call is not allowed"),
        ("{{ 'x' | center(1000000000) }}", "No filter named 'center'"),
        ("{{ '%1000000000d' | format(1) }}", "No filter named 'format'"),
        ("{{ target_date.strftime('%1000000000d') }}", "Call is not allowed"),
        ("{% macro again() %}{{ again() }}{% endmacro %}", "Macro is not allowed"),
        ("{% include 'other' %}", "Include is not allowed"),
        ("{{ '' | upper" + " | upper" * 100 + " }}", "characters are more than the 500 allowed"),
        ("{{ " + "(" * 200 + "1" + ")" * 200 + " }}", "RecursionError"),
        ("{{ ''.__class__ }}", "unsafe"),
        ("{{ game['__init__'] }}", "unsafe"),
        ("{{ game }}", "gives a Game"),
        ("{{ target_date.isoformat }}", "gives a builtin_function_or_method"),
        ("{{ none }}", "gives a NoneType"),
        ("{{ self }}", "gives a TemplateReference"),
        ("{{ range }}", "unknown name 'range'"),
    ],
)
def test_a_template_with_forbidden_code_is_refused_at_once(template, says):
    started = time.process_time()
    assert says in problem_with(template, FanOut.GAME)
    assert time.process_time() - started < SECONDS
    assert "\n" not in problem_with(template, FanOut.GAME)


@pytest.mark.parametrize(
    "template",
    [
        "plain",
        "{{ game.code[:8] }}",
        "{{ game.home ~ '-' ~ game.away }}",
        "{{ season.start_year + 1 }}",
        "{{ 'AM' if now.hour < 12 else 'PM' }}",
        "{{ game.home | lower }}{{ target_date | ds }}",
        "{{ target_date }}",
    ],
)
def test_simple_templates_are_allowed(template):
    assert problem_with(template, FanOut.GAME) is None
