"""Forty broken configurations: each a clear error with its place, never a traceback."""

import re

import pytest

from orchestration.cli import main
from support.worlds import OLD_FILE

OLD = OLD_FILE.read_text()
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


def swap(find: str, put: str) -> str:
    assert find in OLD, find
    return OLD.replace(find, put, 1)


WHOLE = {
    "empty": "",
    "only a comment": "# nothing",
    "null": "null",
    "a list": "- a\n- b",
    "a number": "7",
    "a string": "hello",
    "tabs": "version: '1'\n\tscrapers: {}",
    "unclosed": "version: '1'\nscrapers: {a: {",
    "unclosed quote": "version: '1",
    "bad indent": "version: '1'\nscrapers:\n  a: {}\n b: {}",
    "two documents": "version: '1'\n---\nversion: '2'",
    "unknown alias": "version: *nothing",
    "a python object": "version: !!python/object/apply:os.system ['true']",
    "binary": b"\x89PNG\r\n\x1a\n\x00\x00\x00",
    "not utf-8": b"version: '\xff\xfe'",
    "10 MB": "version: '1'\nx: '" + "y" * 10_000_000 + "'",
    "bomb": BOMB,
    "deep": "a: " + "[" * 3000 + "]" * 3000,
    "endless alias": "a: &a [*a]",
    "no workflows": "version: '1'\nscrapers: {a: {}}\nworkflows: {}",
}
CHANGED = {
    "duplicate key": ("environment: production", "version: '2'\nenvironment: production"),
    "duplicate workflow": ("  betting_lines:\n    enabled", "  morning_operations: {}\n  betting_lines:\n    enabled"),
    "a system DAG's name": ("  betting_lines:\n    enabled", "  cleanup:\n    enabled"),
    "unknown top key": ("environment: production", "enviroment: production"),
    "unknown key in a scraper": ("    critical: true", "    critcal: true"),
    "unknown scraper": ("      - bdl_standings", "      - bdl_standing"),
    "a list for a map": ("    schedule:\n      ideal_window:\n        start_hour: 6\n        end_hour: 10", "    schedule: [6, 10]"),
    "a map for a list": ("      scrapers:\n      - nbac_schedule_api", "      scrapers:\n        nbac_schedule_api: 1\n      x:\n      - y"),
    "hour 25": ("start_hour: 6", "start_hour: 25"),
    "negative hour": ("start_hour: 6", "start_hour: -1"),
    "text for an hour": ("start_hour: 6", "start_hour: six"),
    "end before start": ("end_hour: 10", "end_hour: 5"),
    "25 o'clock": ("fixed_time: '22:00'", "fixed_time: '25:00'"),
    "no clock": ("fixed_time: '22:00'", "fixed_time: late"),
    "unknown zone": ("timezone: America/New_York", "timezone: America/New_Yrok"),
    "unknown type": ("decision_type: discovery", "decision_type: discover"),
    "unknown priority": ("priority: HIGH", "priority: URGENT"),
    "unknown level": ("failure: CRITICAL", "failure: CRITICL"),
    "no frequency": ("frequency_hours: 2", "frequency_hours: 0"),
    "no attempts": ("max_attempts_per_day: 12", "max_attempts_per_day: 0"),
    "missing attempts": ("      max_attempts_per_day: 12\n", ""),
    "unknown requirement": ("      requires:\n      - morning_operations", "      requires:\n      - morning"),
    "itself": ("      requires:\n      - morning_operations", "      requires:\n      - betting_lines"),
    "scraper circle": ("    dependency_for:\n    - oddsa_player_props", "    depends_on: oddsa_player_props\n    dependency_for:\n    - oddsa_player_props"),
    "later step": ("        depends_on: oddsa_events", "        depends_on: oddsa_game_lines"),
    "template typo": ("processor_name: p2_odds_events", "parameters: {d: '{{ target_date | dz }}'}"),
    "template unclosed": ("processor_name: p2_odds_events", "parameters: {d: '{{ target_date'}"),
    "template escape": ("processor_name: p2_odds_events", "parameters: {d: \"{{ ''.__class__.__mro__ }}\"}"),
    "template of another fan-out": ("processor_name: p2_odds_events", "parameters: {d: '{{ team.tricode }}'}"),
    "no table name": ("processor_name: p2_odds_events", "processed_in: 'nba_raw.x WHERE TRUE'"),
    "a step without scrapers": ("      - bdl_box_scores\n      - nbac_team_boxscore\n      - nbac_player_boxscore\n", ""),
    "the same scraper twice": ("      - bdl_standings\n", "      - bdl_active_players\n"),
    "short look-back": ("lookback_hours: 1", "lookback_hours: 0.2"),
    "no pool": ("processor_name: p2_odds_events", "pool: odds"),
    "wrong name": ("name: bdl_standings", "name: bdl_standing"),
    "a date for a halt": ("settings:\n", "settings:\n  halt: {reason: x, until: someday}\n"),
}  # fmt: skip
CASES = {**WHOLE, **{name: swap(find, put) for name, (find, put) in CHANGED.items()}}


@pytest.mark.parametrize("name", CASES)
def test_a_broken_file_is_refused_with_the_place_of_each_error(name, tmp_path, capsys):
    path, content = tmp_path / "w.yaml", CASES[name]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["validate", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    first, *problems = err.splitlines()
    assert re.fullmatch(re.escape(str(path)) + r": \d+ errors?", first)
    assert problems
    assert all(line.startswith(str(path)) for line in problems)
    if name in CHANGED:
        assert all(re.match(re.escape(str(path)) + r":\d+:\d+: ", line) for line in problems)


def test_at_least_forty_broken_files_are_tested():
    assert len(CASES) >= 40
