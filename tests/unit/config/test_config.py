"""workflows.yaml: what loads, and what an error says."""

import re
from datetime import date

import pytest
import yaml

from orchestration.config import ConfigError, load, loads
from orchestration.vocabulary.scrapers import answer_of, fan_out_of, parameters_of
from orchestration.words import FanOut
from support.worlds import OLD_FILE, ROOT, changed, changed_file, et, old, ours

OLD_TEXT = OLD_FILE.read_text()


def said(text):
    """The warnings of a file, without their places."""
    return {warning.split(": ", 1)[1] for warning in loads(text).warnings}


def problems(text):
    with pytest.raises(ConfigError) as caught:
        loads(text, "w.yaml")
    return str(caught.value)


def line_of(text, words):
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


def test_the_file_of_november_2025_loads_unmodified():
    assert list(old().workflows) == [
        "morning_operations",
        "betting_lines",
        "post_game_window_1",
        "post_game_window_2",
        "post_game_window_3",
        "injury_discovery",
        "referee_discovery",
    ]


@pytest.mark.lesson("T8")
def test_the_file_of_november_2025_has_three_warnings():
    warnings = load(OLD_FILE).warnings
    assert len(warnings) == 3
    assert "post_game_collection" not in " ".join(ours().workflows)
    assert any("required_for" in w and ":149:" in w for w in warnings)
    assert any("post_game_window_1.schedule.target_date" in w and "Write `slate`" in w for w in warnings)
    assert any(":241:7: workflows.injury_discovery.schedule.max_attempts" in w and "Write 9" in w for w in warnings)


def test_the_shipped_file_adds_only_the_schedule_refresh_and_has_no_warnings():
    loaded = load(ROOT / "config" / "workflows.yaml")
    assert loaded.warnings == ()
    assert set(loaded.config.workflows) == {*old().workflows, "schedule_dependency"}
    assert loaded.config.workflows["schedule_dependency"].decision_type == "freshness"


def test_every_shipped_scraper_has_parameters_and_all_but_the_events_have_a_table():
    for name, scraper in ours().scrapers.items():
        assert scraper.parameters is not None, name
        # Nobody processes the files of the events.
        assert bool(scraper.processed_in) == (name != "oddsa_events"), name


@pytest.mark.parametrize("name", sorted(ours().scrapers.keys() & old().scrapers.keys()))
def test_the_shipped_file_calls_each_scraper_as_the_built_in_table_does(name):
    assert fan_out_of(name, ours().scrapers[name]) == fan_out_of(name, old().scrapers[name])
    assert parameters_of(name, ours().scrapers[name]) == parameters_of(name, old().scrapers[name])


def test_a_scraper_without_parameters_uses_the_built_in_parameters():
    assert fan_out_of("br_season_roster", old().scrapers["br_season_roster"]) is FanOut.TEAM


def test_all_errors_of_a_file_are_reported_at_once():
    bad = (
        OLD_TEXT.replace("frequency_hours: 2", "frequncy_hours: 2")
        .replace("      - oddsa_player_props\n        - oddsa_game", "      - oddsa_playr_props\n        - oddsa_game")
        .replace("decision_type: self_aware", "decision_type: self_awre")
        .replace("critical: true", "critical: maybe", 1)
        .replace("      scraper: nbac_injury_report", "      scraper: nbac_injry_report")
        .replace("      start: 8", "      start: 25")
    )
    text = problems(bad)
    for words, suggestion in [
        ("frequncy_hours", "frequency_hours"),
        ("self_awre", "self_aware"),
        ("nbac_injry_report", "nbac_injury_report"),
        ("oddsa_playr_props", "oddsa_player_props"),
    ]:
        assert re.search(rf"w.yaml:{line_of(bad, words)}:\d+: .*did you mean `{suggestion}`", text), words
    assert f"w.yaml:{line_of(bad, 'critical: maybe')}:5: scrapers.nbac_schedule_api.critical" in text
    assert f"w.yaml:{line_of(bad, 'start: 25')}:" in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        ("- a", "it is a list"),
        ("\ta: 1", "not valid YAML"),
        ("a: b: c", "not valid YAML"),
        ("version: '1'\nversion: '2'", "duplicate key; the first one is in line 1"),
        (b"\x00\x01\x02", "not valid YAML"),
        (b"\xff\xfe\xfd", "not valid YAML"),
        ("version: '1'\nscrapers: {}\nworkflows: {}", "workflows"),
        ("x: " + "[" * 5000, "not valid YAML"),
        (
            "a: &a [1,2,3,4,5,6,7,8,9]\n"
            + "".join(f"{c}: &{c} [{','.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)),
            "aliases",
        ),
        ("a: " + "x" * 5_000_001, "more than the 5,000,000 allowed"),
    ],
    ids=["empty", "list", "tab", "nested", "duplicate", "binary", "not-utf8", "no-workflow", "deep", "bomb", "large"],
)
def test_a_text_that_is_not_a_configuration_is_refused_with_a_clear_error(text, says):
    assert says in problems(text)


@pytest.mark.parametrize(
    ("find", "put", "says"),
    [
        ("fixed_time: '22:00'", "fixed_time: '25:00'", "must be an ET wall time"),
        ("timezone: America/New_York", "timezone: Europe/Paris", "not one of America/New_York"),
        ("lookback_hours: 1", "lookback_hours: 0.5", "is too short"),
        ("start_hour: 6", "start_hour: 11", "lies after end_hour 10"),
        ("      - morning_operations\n", "      - morning_ops\n", "did you mean `morning_operations`"),
        ("        depends_on: oddsa_events", "        depends_on: bdl_standings", "no earlier step calls"),
        ("processor_name: p2_odds_events", "parameters: {d: '{{ target_dat }}'}", "unknown name 'target_dat'"),
        ("processor_name: p2_odds_events", "parameters: {d: '{{ game.date }}'}", "unknown name 'game'"),
        ("processor_name: p2_odds_events", "parameters: {d: '{{ season.yeer }}'}", "has no attribute 'yeer'"),
        ("processor_name: p2_odds_events", "parameters: {d: '{{ 1/0 }}'}", "ZeroDivisionError"),
        ("processor_name: p2_odds_events", "processed_in: 'a.b; DROP TABLE c'", "should match pattern"),
        ("processor_name: p2_odds_events", "pool: odds", "settings.pools has no pool `odds`"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(find, put, says):
    assert find in OLD_TEXT
    text = problems(
        OLD_TEXT.replace(find, put, 1) if find != "      - morning_operations\n" else put.join(OLD_TEXT.rsplit(find, 1))
    )
    assert says in text
    assert re.search(r"w\.yaml:\d+:\d+: ", text)


def test_a_circle_of_requirements_is_refused():
    text = OLD_TEXT.replace(
        "    dependencies:\n      required_for:\n",
        "    dependencies:\n      requires: [betting_lines]\n      required_for:\n",
    )
    assert "a circle of dependencies" in problems(text)


@pytest.mark.lesson("T1")
def test_a_window_without_a_tick_is_refused():
    text = OLD_TEXT.replace("start_hour: 6\n        end_hour: 10", "start_hour: 2\n        end_hour: 4")
    assert "no tick lies between 2:00 and 4:00 ET" in problems(text)


@pytest.mark.lesson("C4")
def test_a_look_back_too_short_for_young_files_is_refused():
    assert "is too short: a file younger" in problems(OLD_TEXT.replace("interval_minutes: 15", "interval_minutes: 60"))


@pytest.mark.lesson("E7")
def test_a_timeout_is_never_below_the_scrapers_own_worst_case():
    text = OLD_TEXT + "  scraper_timeouts: {default: 20, future_overhead: 5, overrides: {bdl_standings: 10}}\n"
    config = loads(text).config
    assert config.timeout_seconds("bdl_standings") == 50 + 5
    assert config.timeout_seconds("oddsa_player_props") == 120 + 5
    assert config.timeout_seconds("nbac_injury_report") == 25 + 5


@pytest.mark.lesson("E7")
@pytest.mark.parametrize(
    ("find", "put", "key"),
    [
        ("estimated_duration_seconds: 120", "estimated_duration_seconds: 120\n    timeout_seconds: 100",
         "scrapers.br_season_roster.timeout_seconds: 100 s"),
        ("settings:\n", "settings:\n  scraper_timeouts: {overrides: {br_season_roster: 100}}\n",
         "settings.scraper_timeouts.overrides.br_season_roster: 100 s"),
        ("settings:\n", "settings:\n  scraper_timeouts: {default: 119, overrides: {oddsa_player_props: 120, "
         "oddsa_game_lines: 120}}\n", "settings.scraper_timeouts.default: 119 s"),
    ],
)  # fmt: skip
def test_a_timeout_below_the_scrapers_own_worst_case_is_a_warning(find, put, key):
    [warning] = said(OLD_TEXT.replace(find, put, 1)) - said(OLD_TEXT)
    assert f"{key} is shorter than the worst case of br_season_roster, so 120 s is the timeout" in warning


def test_keys_added_after_november_2025_load_too():
    text = OLD_TEXT.replace("min_file_age_minutes: 30", "min_file_age_minutes: 30\n    notification_threshold: 5")
    text = text.replace(
        "workflows:\n  morning_operations:",
        "workflows:\n"
        "  early_games:\n"
        "    decision_type: game_aware_early\n"
        "    schedule: {target_date: today, early_game_cutoff_hour: 19, collection_delay_hours: 3}\n"
        "    execution_plan: {type: single, scraper: bdl_box_scores}\n"
        "  morning_operations:",
    )
    assert len(loads(text).config.workflows) == 8


def test_an_unquoted_wall_time_is_not_read_as_a_number_of_seconds():
    text = OLD_TEXT.replace("fixed_time: '22:00'", "fixed_time: 22:00")
    assert loads(text).config.workflows["post_game_window_1"].schedule.fixed_time.hour == 22


def test_a_quoted_number_of_minutes_is_a_number():
    quoted = {"settings__cleanup_processor__interval_minutes": "30", "settings__controller_interval_minutes": "15"}
    found = changed(**quoted).settings
    assert (found.cleanup_processor.interval_minutes, found.controller_interval_minutes) == (30, 15)
    for wrong in ("7", "half an hour", "", "3O"):
        with pytest.raises(ConfigError, match="interval_minutes"):
            changed(settings__cleanup_processor__interval_minutes=wrong)


def answering(answer):
    return OLD_TEXT.replace("processor_name: p2_odds_events", f"answer: {answer}")


@pytest.mark.lesson("A1")
def test_a_key_missing_from_an_answer_description_is_built_in():
    own = loads(answering("{file: path}")).config.scrapers["oddsa_events"]
    assert answer_of("oddsa_events", own).file == "path"
    assert answer_of("bp_events", own).records == ("event_count", "rowCount")
    assert answer_of("bp_events").file == "gcs_path"
    assert answer_of("nobody_knows").records == ("rowCount",)
    for name, scraper in ours().scrapers.items():
        assert "rowCount" in answer_of(name, scraper).records, name


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("{records: []}", "must be the name of a key, or none"),
        ("{records: ''}", "must be the name of a key, or none"),
        ("{records: [none, rowCount]}", "none cannot stand beside other keys"),
        ("{records: 5}", "scrapers.oddsa_events.answer.records"),
        ("{record: rowCount}", "did you mean `records`"),
        ("{file: ''}", "scrapers.oddsa_events.answer.file"),
        ("{no_data: [{}]}", "needs a status, an error_type or a text"),
        ("{no_data: [{status: 5}]}", "scrapers.oddsa_events.answer.no_data.0.status"),
        ("{no_data: [{text: ''}]}", "scrapers.oddsa_events.answer.no_data.0.text"),
        ("{no_data: [{stauts: 500}]}", "did you mean `status`"),
    ],
)
def test_a_wrong_answer_description_is_refused_with_its_place(answer, says):
    text = problems(answering(answer))
    assert says in text
    assert f"w.yaml:{line_of(answering(answer), 'answer: ')}:" in text


@pytest.mark.lesson("F3")
@pytest.mark.parametrize(
    ("expects", "says"),
    [
        ("{}", "needs records, records_per_game, games or changes"),
        ("{records: {min: 0}}", "scrapers.oddsa_events.expects.records.min"),
        ("{records: {min: 10000001}}", "scrapers.oddsa_events.expects.records.min"),
        ("{records: {least: 5}}", "scrapers.oddsa_events.expects.records.least"),
        ("{records: 20}", "scrapers.oddsa_events.expects.records"),
        ("{games: some}", "scrapers.oddsa_events.expects.games"),
        ("{games: all}", "Write its key in answer.games or answer.games_count"),
        ("{changes: hourly}", "scrapers.oddsa_events.expects.changes"),
        ("{record: {min: 5}}", "did you mean `records`"),
        ("{records: {min: 5}}, answer: {records: none}", "cannot be compared: answer.records is `none`"),
        ("{records_per_game: {min: 5}}, for_each: team", "is called for each team. Write `records`"),
        ("{games: all}, for_each: game", "is for a scraper with one answer a date"),
        ("{changes: daily}, for_each: game", "is for a scraper with one answer a date"),
    ],
)
def test_an_expectation_that_cannot_be_missed_is_refused_with_its_place(expects, says):
    first, *others = re.split(r", (?=answer|for_each)", expects)
    text = OLD_TEXT.replace("processor_name: p2_odds_events", "\n    ".join([f"expects: {first}", *others]))
    found = problems(text)
    assert says in found
    assert f"w.yaml:{line_of(text, 'expects: ')}:" in found


def test_what_a_good_answer_holds_is_accepted():
    text = "answer: {games_count: rowCount}\n    expects: {records: {min: 1}, games: all, changes: daily}"
    found = loads(OLD_TEXT.replace("processor_name: p2_odds_events", text)).config.scrapers["oddsa_events"]
    assert (found.expects.records.min, found.expects.games, found.expects.changes) == (1, "all", "daily")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("{records: none}", "without a count, every answer that works is a success"),
        ("{no_data: [{status: 500}]}", "reads every answer with 500 as no_data"),
        ("{no_data: [{status: 403}]}", "every answer with 403"),
    ],
)
def test_an_answer_description_that_hides_failures_is_a_warning(answer, says):
    [warning] = said(answering(answer)) - said(OLD_TEXT)
    assert says in warning
    assert not said(answering("{no_data: [{status: 500, text: not published}, {status: 404}]}")) - said(OLD_TEXT)


def test_the_shipped_file_states_which_paths_each_table_keeps():
    named = {name: scraper.keeps_paths.value for name, scraper in ours().scrapers.items()}
    assert {name for name, kept in named.items() if kept == "newest"} == {"nbac_schedule_api"}
    assert {name for name, kept in named.items() if kept == "none"} == {"nbac_injury_report"}
    assert ours().settings.service_log == "nba_orchestration.scraper_execution_log"
    assert [name for name, scraper in ours().scrapers.items() if not scraper.traceable] == [
        "nbac_injury_report", "oddsa_events",
    ]  # fmt: skip


def test_keeps_paths_without_a_table_is_a_warning():
    data = yaml.safe_load(OLD_TEXT)
    data["scrapers"]["oddsa_events"]["keeps_paths"] = "newest"
    [warning] = [found for found in loads(yaml.safe_dump(data)).warnings if "keeps_paths" in found]
    assert "scrapers.oddsa_events.keeps_paths: has no effect without processed_in" in warning


@pytest.mark.parametrize("name", ["a.b; DROP TABLE c", "log", "p.d.t", "`a.b`"])
def test_the_service_log_must_be_a_plain_table_name(name):
    data = yaml.safe_load(OLD_TEXT)
    data["settings"]["service_log"] = name
    assert "settings.service_log" in problems(yaml.safe_dump(data))


def warnings_with(change):
    """The warnings about dependencies, after ``change`` to the scrapers and workflows of the old file."""
    data = yaml.safe_load(OLD_TEXT)
    change(data["scrapers"], data["workflows"])
    return [w for w in loads(yaml.safe_dump(data)).warnings if "critical" in w or "later step" in w]


def test_a_critical_step_that_depends_on_a_noncritical_scraper_is_a_warning():
    def change(scrapers, workflows):
        plan = workflows["betting_lines"]["execution_plan"]
        plan["step_1"]["scrapers"].append("bdl_standings")
        plan["step_2"]["depends_on"] = "bdl_standings"

    [warning] = warnings_with(change)
    assert "betting_lines.execution_plan.step_2.depends_on" in warning
    kept = "oddsa_player_props, oddsa_game_lines"
    assert f"`bdl_standings` is not critical, but if it fails, critical scrapers are not called: {kept}" in warning


def test_a_critical_scraper_that_depends_on_a_noncritical_scraper_is_a_warning():
    def change(scrapers, workflows):
        scrapers["nbac_player_list"]["depends_on"] = "bdl_standings"

    [warning] = warnings_with(change)
    assert re.match(r"workflows.yaml:\d+:\d+: scrapers.nbac_player_list.depends_on", warning)


def test_a_scraper_that_depends_on_a_scraper_of_a_later_step_is_a_warning():
    def change(scrapers, workflows):
        scrapers["nbac_player_list"]["depends_on"] = "nbac_schedule_api"
        workflows["morning_operations"]["execution_plan"] = {
            "step_1": {"scrapers": ["nbac_player_list"]},
            "step_2": {"scrapers": ["nbac_schedule_api"]},
        }

    [warning] = warnings_with(change)
    assert "a later step calls `nbac_schedule_api`, so `nbac_player_list` does not wait for it" in warning


def test_an_event_source_that_depends_on_its_own_per_event_scraper_is_refused():
    text = OLD_TEXT.replace("    dependency_for:\n", "    depends_on: oddsa_game_lines\n    dependency_for:\n", 1)
    assert "a circle of dependencies" in problems(text)


@pytest.mark.parametrize(
    ("scraper", "says"),
    [
        ({"calls_per_task": 5}, "has no effect: without `for_each` the scraper has one call"),
        ({"for_each": "team", "calls_per_task": 5, "deferrable": True}, "cannot be combined with `deferrable: true`"),
        ({"for_each": "team", "calls_per_task": 101}, "calls_per_task"),
        ({"for_each": "team", "calls_per_task": 0}, "calls_per_task"),
    ],
)
def test_calls_per_task_is_refused_where_it_has_no_effect_or_is_out_of_range(scraper, says):
    data = yaml.safe_load(OLD_TEXT)
    data["scrapers"]["bdl_standings"] = scraper
    said = problems(yaml.safe_dump(data))
    assert "scrapers.bdl_standings.calls_per_task" in said
    assert says in said


def test_a_scraper_with_the_name_of_a_batch_task_is_refused():
    data = yaml.safe_load(OLD_TEXT)
    data["scrapers"]["oddsa_events_by_4"] = {}
    data["scrapers"]["oddsa_game_lines"]["calls_per_task"] = 4
    data["workflows"]["betting_lines"]["execution_plan"]["step_3"] = {"scrapers": ["oddsa_events_by_4"]}
    assert "`oddsa_events_by_4` is also the name of the task that makes batches (calls_per_task)" in problems(
        yaml.safe_dump(data)
    )


@pytest.mark.lesson("C10")
def test_a_halt_until_midnight_ends_at_midnight():
    halt = changed(settings__halt={"reason": "all-star", "until": "2026-02-14T00:00-05:00"}).settings.halt
    assert halt.until == et("00:00", date(2026, 2, 14))
    assert not halt.holds_at(et("00:00", date(2026, 2, 14)))
    assert changed(settings__halt={"reason": "all-star", "until": "2026-02-14"}).settings.halt.until == date(
        2026, 2, 14
    )


@pytest.mark.lesson("F4")
@pytest.mark.parametrize(
    ("attempts", "every", "first", "most"),
    [(12, 2, 6, 9), (10, 2, 6, 9), (18, 1, 6, 17), (6, 3, 8, 5), (9, 1.5, 6, None), (9, 2, 6, None), (5, 3, 8, None)],
)
def test_a_limit_of_attempts_that_no_day_reaches_is_a_warning_with_the_possible_number(attempts, every, first, most):
    schedule = {"max_attempts_per_day": attempts, "retry_interval_hours": every, "first_hour": first}
    loaded = loads(changed_file(workflows__injury_discovery__schedule=schedule))
    found = [p.message.rpartition(". ")[2] for p in loaded.refused]
    assert found == ([] if most is None else [f"Write {most} or less"])
    assert len(loaded.warnings) == len(found)


def test_an_hour_before_the_first_attempt_cannot_be_expected():
    schedule = {"max_attempts_per_day": 5, "retry_interval_hours": 2, "first_hour": 9, "expected_by": "08:30"}
    with pytest.raises(ConfigError, match="expected_by: no attempt is made by 08:30 ET"):
        loads(changed_file(workflows__injury_discovery__schedule=schedule))


def alert_settings(*channels, **notifications):
    return changed_file(settings__alerts={"channels": list(channels)}, settings__notifications=notifications)


PAGER = {"name": "pager", "notifier": "support.letterbox.Pager", "levels": ["CRITICAL"]}


@pytest.mark.lesson("F7")
@pytest.mark.parametrize(
    ("channels", "warned"),
    [
        (["email"], None),
        ([], None),
        ([PAGER], "no channel takes WARNING alerts at any time about the whole system"),
        ([PAGER, {**PAGER, "name": "b", "levels": ["WARNING"], "workflows": ["betting_lines"]}], "WARNING alerts at"),
        ([{**PAGER, "hours": "22:00-7:00"}, {**PAGER, "name": "b", "levels": ["WARNING"]}],
         "no channel takes CRITICAL alerts from 07:00 to 22:00 ET about the whole system"),
    ],
)  # fmt: skip
def test_a_level_or_an_hour_without_a_channel_is_a_warning(channels, warned):
    [*warnings] = said(alert_settings(*channels))
    assert len(warnings) == (warned is not None)
    assert warned is None or warned in warnings[0]


@pytest.mark.lesson("F7")
def test_the_short_form_without_a_channel_for_warnings_is_a_warning():
    [one] = said(changed_file(settings__notifications={"critical_channels": "slack", "warning_channels": []}))
    assert one.startswith("settings.notifications: no channel takes WARNING alerts at any time")
    none = {"email_enabled": False, "slack_enabled": False}
    assert said(changed_file(settings__notifications=none)) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        {"integration_key": "R0ABCD"},
        {"payload": {"api_token": "abc"}},
        {"url": "https://hooks.slack.com/services/T000/B00/1234567890abcdefgh"},
        {"url": "https://me:pass@example.com"},
        {"urls": ["https://hc-ping.com/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"]},
    ],
)
def test_a_secret_in_the_arguments_of_a_channel_is_a_warning(arguments):
    [one] = said(alert_settings("email", {**PAGER, "arguments": arguments}))
    assert "looks like a secret" in one


def test_a_plain_argument_and_a_value_of_the_alert_are_no_secret():
    plain = {
        "dedup_key": "{{ alert_key }}", "routing_key": "{{ alert_key }}", "conn_id": "pagerduty_events_default",
        "target_arn": "arn:aws:sns:us-east-1:123456789012:nba-alerts", "link": "https://example.com/runbooks/nba",
    }  # fmt: skip
    assert said(alert_settings("email", {**PAGER, "arguments": plain})) == set()


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        (
            {"arguments": {"a": {"b": ["{{ alert_txt }}"]}}},
            "0.arguments.a.b.0: unknown name 'alert_txt'; the names are",
        ),
        ({"arguments": {"a": "{{ 'x' * 999999999 }}"}}, "Mul is not allowed"),
        ({"notifier": "pager"}, "notifier"),
        ({"levels": []}, "levels"),
        ({"hours": "22-7"}, "hours"),
        ({"hours": "07:00-07:00"}, "begins and ends at one time"),
    ],
)
def test_a_channel_that_can_never_work_is_an_error_with_its_line(channel, why):
    text = alert_settings({**PAGER, **channel})
    assert re.search(r"w\.yaml:\d+:\d+: settings\.alerts\.channels\.0", problems(text))
    assert why in problems(text)


def test_two_channels_of_one_name_are_an_error():
    assert "two channels are named `email`" in problems(alert_settings("email", "email"))


def test_the_short_form_beside_channels_and_an_unknown_workflow_are_warnings():
    warnings = said(alert_settings("email", {**PAGER, "workflows": ["betting_line"]}, warning_channels=["email"]))
    assert any("did you mean `betting_lines`?" in one for one in warnings)
    assert any("settings.notifications.warning_channels: has no effect" in one for one in warnings)


@pytest.mark.parametrize(
    ("heartbeat", "warned"),
    [
        ("heartbeat", 0),
        ("https://example.com/alive", 0),
        ("https://hc-ping.com/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278", 1),
        ("https://cronitor.link/p/1234567890abcdef1234/nba?state=complete", 1),
    ],
)
def test_a_heartbeat_with_a_secret_in_its_address_is_a_warning(heartbeat, warned):
    assert len(said(changed_file(settings__alerts={"heartbeat": heartbeat}))) == warned


def test_a_heartbeat_without_encryption_is_an_error():
    assert "heartbeat" in problems(changed_file(settings__alerts={"heartbeat": "http://example.com/alive"}))
