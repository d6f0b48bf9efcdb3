"""Parameters that are not what was written, with their line and column."""

import pytest

from orchestration.config import loads
from orchestration.vocabulary.source import ConfigError
from orchestration.vocabulary.templates import Item, references, render
from support.rows import NOW
from support.worlds import DAY, ROOT

OURS = (ROOT / "config" / "workflows.yaml").read_text()
HERE = "parameters: {sport: basketball_nba,"
READ_AS_OTHER = {"NO": "false", "on": "true", "yes": "true", "Off": "false", "1.10": "1.1", "+5": "5"}
NOBODY_FILLS_IN = ("'${ODDS_API_KEY}'", "$ODDS_API_KEY", "'key-%ODDS_KEY%'")
FINE = ("true", "False", "'NO'", "5", "-0.5", "0022500123", "010", "22:00", "costs $5", str(2**63 - 1), f"'{2**70}'")
REFUSED = {str(2**63): "has more than 64 bits", str(-(2**63) - 1): "has more than 64 bits", ".inf": "finite", "~": ""}


def read(parameter):
    text = OURS.replace(HERE, f"{HERE} {parameter},", 1)
    assert text != OURS
    return loads(text)


def about(warnings):
    return [warning for warning in warnings if ".parameters." in warning]


@pytest.mark.parametrize("written", READ_AS_OTHER)
def test_a_value_that_yaml_reads_as_something_else_is_named_with_its_place(written):
    [warning] = about(read(f"flag: {written}").warnings)
    sent = f"flag: `{written}` is sent as {READ_AS_OTHER[written]}. Write '{written}' in quotes"
    assert sent in warning
    assert warning.startswith("workflows.yaml:1")


@pytest.mark.parametrize("written", NOBODY_FILLS_IN)
def test_a_variable_that_nobody_fills_in_is_named(written):
    [warning] = about(read(f"key: {written}").warnings)
    assert "is sent as it stands: nobody fills it in" in warning


@pytest.mark.parametrize("written", FINE)
def test_a_value_that_is_what_was_written_is_no_problem(written):
    assert about(read(f"flag: {written}").warnings) == []


@pytest.mark.parametrize("written", REFUSED)
def test_a_value_that_no_row_can_hold_is_refused(written):
    with pytest.raises(ConfigError, match=REFUSED[written]):
        read(f"flag: {written}")


@pytest.mark.parametrize("name", ["scraper", "workflow", "source"])
def test_a_parameter_with_a_name_of_the_call_is_refused(name):
    with pytest.raises(ConfigError, match=rf"workflows.yaml:\d+:\d+: .*{name}: every call sets `{name}` itself"):
        read(f"{name}: x")


@pytest.mark.parametrize("written", ["{{ conn.odds_api.password }}", "{{conn.a-b.extra.key}}", "{{ var.region }}"])
def test_a_reference_to_a_connection_or_a_variable_stays_in_every_plan(written):
    scraper = read(f"key: '{written}'").config.scrapers["oddsa_events"]
    assert references(scraper.parameters) == ("key",)
    sent = render(scraper.parameters, target_date=DAY, now=NOW, item=Item())
    assert sent["key"] == written


@pytest.mark.parametrize("written", ["x{{ conn.a.password }}", "{{ conn.a }}", "{{ conn.a.b }}", "{{ var }}"])
def test_only_a_whole_parameter_may_be_a_reference(written):
    with pytest.raises(ConfigError, match="unknown name"):
        read(f"key: '{written}'")
