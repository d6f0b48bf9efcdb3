"""The generated DAGs, as Airflow sees them."""

import runpy
from datetime import timedelta

import pytest
from airflow.sdk import TriggerRule
from airflow.serialization.serialized_objects import DagSerialization

from orchestration.assets import table_alias
from orchestration.cli import main
from orchestration.config import ConfigError
from orchestration.config.last_good import last_good_path, load_or_last_good
from orchestration.decisions.request import CleanupRequest, LockRequest, ReconcileRequest, Request
from orchestration.generator import dags, in_force
from orchestration.generator.dags import build_dags
from orchestration.generator.docs import workflow_doc
from orchestration.generator.in_force import dags_in_force, make_ready
from orchestration.vocabulary.workflows import TASKS
from support.worlds import ROOT, changed, old, ours

DAGS = build_dags(ours())


@pytest.mark.lesson("K10")
def test_there_is_one_dag_for_each_enabled_workflow_and_three_of_the_system():
    assert set(DAGS) == {*ours().workflows, "schedule_locker", "cleanup", "reconcile"}
    assert set(build_dags(old())) == {*old().workflows, "schedule_locker", "cleanup", "reconcile"}


@pytest.mark.parametrize("dag", DAGS.values(), ids=DAGS)
def test_no_dag_catches_up_or_has_two_runs_at_once(dag):
    assert dag.catchup is False
    assert dag.max_active_runs == 1


@pytest.mark.parametrize("dag", DAGS.values(), ids=DAGS)
def test_every_dag_has_docs_tags_and_an_owner_and_can_be_stored(dag):
    assert dag.doc_md
    assert "nba" in dag.tags
    assert dag.owner == "data-platform"
    DagSerialization.to_dict(dag)


def test_the_docs_have_rule_ticks_scrapers_deadline_and_contacts():
    doc = workflow_doc(changed(workflows__post_game_window_2__contacts=["ann@example.com"]), "post_game_window_2")
    for text in (
        "* It runs at 01:00 ET (± 30 min), for every game of the slate that is not collected yet.",
        "* Its ticks are hourly from 06:00 to 23:00, and at 01:00 (ET).",
        "calls: `nbac_team_boxscore` for each game (critical); ",
        "* A run must end within 45 min after it was queued.",
        "**Contacts**: ann@example.com",
    ):
        assert text in doc


def test_the_tags_have_priority_and_decision_type():
    assert {"priority:CRITICAL", "type:game_aware"} <= set(DAGS["betting_lines"].tags)


@pytest.mark.lesson("A9")
def test_a_shadow_shows_in_tags_docs_and_edges():
    shadow = build_dags(changed(settings__mode="shadow", settings__audit_dataset="nba_phase1"))
    assert set(shadow) == set(DAGS)
    for dag in shadow.values():
        assert "shadow" in dag.tags
        assert dag.doc_md.startswith("> **Shadow**: ")
    label = shadow["betting_lines"].get_edge_info("decide", "skip")["label"]
    assert label == "RUN and SKIP: a shadow calls no scraper"
    assert not [name for name, dag in DAGS.items() if "shadow" in dag.tags or "Shadow" in dag.doc_md]
    one = build_dags(changed(workflows__betting_lines__mode="shadow"))
    assert [name for name, dag in one.items() if "shadow" in dag.tags] == ["betting_lines"]


def test_the_decision_branches_into_hold_skip_and_abort():
    dag = DAGS["betting_lines"]
    assert dag.get_task("decide").downstream_task_ids == {"hold", "skip", "abort", "finish", "tell_tables"}
    assert dag.get_task("finish").trigger_rule is TriggerRule.ALL_DONE
    assert dag.get_task("abort").downstream_task_ids == set()


@pytest.mark.lesson("E6")
def test_props_and_lines_wait_for_their_events():
    dag = DAGS["betting_lines"]
    for scraper in ("oddsa_player_props", "oddsa_game_lines"):
        task = dag.get_task(scraper)
        assert task.upstream_task_ids == {"hold", "oddsa_events", "oddsa_events_by_15"}
        assert task.trigger_rule is TriggerRule.ALL_SUCCESS
        assert task.is_mapped
    assert dag.get_task("oddsa_events_by_15").upstream_task_ids == {"oddsa_events"}


@pytest.mark.lesson("E1")
def test_per_game_scrapers_are_mapped_over_the_games_and_rosters_over_thirty_teams():
    assert DAGS["post_game_window_3"].get_task("nbac_play_by_play").is_mapped
    rosters = DAGS["morning_operations"].get_task("br_season_roster")
    [teams] = rosters.expand_input.value["item"]
    assert len(set(teams)) == 30
    assert not DAGS["post_game_window_3"].get_task("nbac_player_boxscore").is_mapped


def test_calls_have_timeout_retries_and_pool_from_the_yaml():
    task = DAGS["betting_lines"].get_task("oddsa_events")
    assert task.execution_timeout == timedelta(seconds=150 + 15)
    assert (task.retries, task.pool) == (1, "odds_api")


def test_a_step_runs_after_a_failed_step_unless_it_names_a_dependency():
    config = changed(
        workflows__morning_operations__execution_plan={
            "step_1": {"type": "parallel", "scrapers": ["nbac_schedule_api"]},
            "step_2": {"type": "sequential", "scrapers": ["nbac_player_list", "br_season_roster"]},
        }
    )
    dag = build_dags(config)["morning_operations"]
    assert dag.get_task("nbac_player_list").upstream_task_ids == {"hold", "nbac_schedule_api"}
    assert dag.get_task("br_season_roster").upstream_task_ids == {"hold", "nbac_player_list"}
    assert dag.get_task("nbac_player_list").trigger_rule is TriggerRule.ALL_DONE_MIN_ONE_SUCCESS


@pytest.mark.lesson("E6")
@pytest.mark.parametrize("kind", ["parallel", "sequential"])
@pytest.mark.parametrize(
    "order", [["nbac_player_list", "nbac_schedule_api"], ["nbac_schedule_api", "nbac_player_list"]]
)
def test_a_scraper_waits_for_its_dependency_in_any_order_of_the_step(kind, order):
    config = changed(
        scrapers__nbac_player_list__depends_on="nbac_schedule_api",
        workflows__morning_operations__execution_plan={"type": kind, "scrapers": [*order, "br_season_roster"]},
    )
    dag = build_dags(config)["morning_operations"]
    assert "nbac_schedule_api" in dag.get_task("nbac_player_list").upstream_task_ids
    assert dag.get_task("nbac_player_list").trigger_rule is TriggerRule.ALL_SUCCESS
    assert "nbac_player_list" not in dag.get_task("nbac_schedule_api").upstream_task_ids


def test_an_event_source_may_be_listed_after_the_scrapers_of_its_events():
    plan = {"type": "parallel", "scrapers": ["oddsa_game_lines", "oddsa_player_props", "oddsa_events"]}
    dag = build_dags(changed(workflows__betting_lines__execution_plan=plan))["betting_lines"]
    for scraper in ("oddsa_player_props", "oddsa_game_lines"):
        assert dag.get_task(scraper).upstream_task_ids == {"hold", "oddsa_events", "oddsa_events_by_15"}


def test_a_task_of_several_calls_takes_a_slot_for_each_parallel_call_and_has_time_for_all():
    dag = build_dags(
        changed(
            settings__pools={"nba_com": 3, "basketball_reference": 1, "odds_api": 4, "bigdataball": 2},
            scrapers__oddsa_player_props__calls_per_task=10,
            scrapers__oddsa_game_lines__calls_per_task=3,
        )
    )["betting_lines"]
    props, lines = (dag.get_task(name).partial_kwargs for name in ("oddsa_player_props", "oddsa_game_lines"))
    assert (props["pool"], props["pool_slots"], props["at_once"]) == ("odds_api", 4, 4)
    assert props["execution_timeout"] == 3 * timedelta(seconds=150 + 15)
    assert (lines["pool_slots"], lines["execution_timeout"]) == (3, timedelta(seconds=150 + 15))
    assert dag.get_task("oddsa_game_lines").upstream_task_ids == {"hold", "oddsa_events", "oddsa_events_by_3"}


def test_without_a_pool_a_task_makes_all_calls_in_parallel_on_one_slot_of_the_default_pool():
    config = changed(scrapers__br_season_roster={"for_each": "team", "calls_per_task": 8, "parameters": {}})
    task = build_dags(config)["morning_operations"].get_task("br_season_roster")
    assert (task.partial_kwargs["at_once"], task.partial_kwargs["pool_slots"]) == (8, 1)
    assert [len(teams) for teams in task.expand_input.value["item"]] == [8, 8, 8, 6]


def test_scrapers_of_one_workflow_may_differ_in_calls_per_task():
    config = changed(
        scrapers__nbac_play_by_play__calls_per_task=4,
        scrapers__nbac_gamebook_pdf__calls_per_task=4,
        scrapers__bigdataball_pbp__calls_per_task=6,
    )
    dag = build_dags(config)["post_game_window_3"]
    assert {task.task_id for task in dag.get_task("hold").downstream_list} >= {"games_by_4", "games_by_6"}
    assert "games_by_4" in dag.get_task("nbac_gamebook_pdf").upstream_task_ids
    assert dag.get_task("nbac_team_boxscore").upstream_task_ids == {"hold"}


def test_one_task_for_each_event_limits_the_events_to_what_airflow_maps():
    assert DAGS["betting_lines"].get_task("oddsa_events").most_events is None
    one_by_one = build_dags(changed(scrapers__oddsa_game_lines__calls_per_task=1))["betting_lines"]
    assert one_by_one.get_task("oddsa_events").most_events == 1024


def test_reconcile_runs_at_its_times_and_reports_after_its_runs_have_ended():
    dag = DAGS["reconcile"]
    assert [one.expression for one in dag.timetable.timetables] == ["30 6,12 * * *"]
    assert dag.params["days"] == 2
    assert dag.params["max_runs"] == 5
    assert dag.get_task("fetch").downstream_task_ids == {"tell_open"}
    assert dag.get_task("tell_open").trigger_rule is TriggerRule.ALL_DONE
    waits = dag.get_task("fetch").partial_kwargs
    assert (waits["wait_for_completion"], waits["deferrable"]) == (True, True)
    for text in ("Runs at 06:30 and 12:30 ET and by hand. ", "After 12:30 ET it alerts"):
        assert text in dag.doc_md


def test_reconcile_has_the_times_of_the_settings_or_is_by_hand_only():
    once = build_dags(changed(settings__reconcile={"at": ["07:15"], "days": 4, "max_runs": 1}))["reconcile"]
    assert [one.expression for one in once.timetable.timetables] == ["15 7 * * *"]
    assert (once.params["days"], once.params["max_runs"]) == (4, 1)
    never = build_dags(changed(settings__reconcile={"enabled": False}))["reconcile"]
    assert never.schedule is None
    assert "Runs by hand. " in never.doc_md


def test_a_task_builds_its_own_dag_only():
    assert set(build_dags(ours(), only="cleanup")) == {"cleanup"}


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "workflows.yaml"
    path.write_bytes((ROOT / "config" / "workflows.yaml").read_bytes())
    monkeypatch.setenv("ORCHESTRATION_CONFIG", str(path))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    return path


class TestADagThatWasMadeReady:
    """In the process from which tasks are forked."""

    @pytest.fixture
    def built(self, file, monkeypatch):
        build, built = in_force.build_dags, []

        def noting(config, only=None, failed=None):
            built.append(only)
            return build(config, only, failed)

        make_ready()
        monkeypatch.setattr(in_force, "build_dags", noting)
        yield built
        in_force._ready.clear()

    def test_is_not_built_again_by_its_task(self, built):
        assert set(dags_in_force("betting_lines")) == {"betting_lines"}
        assert built == []

    def test_belongs_to_one_task_only(self, built):
        first, second = (dags_in_force("betting_lines")["betting_lines"] for _ in range(2))
        assert first is not second
        assert built == ["betting_lines"]

    def test_is_not_used_after_the_file_has_changed(self, file, built):
        file.write_text(file.read_text().replace("  betting_lines:\n", "  betting_lines:\n    tags: [changed]\n", 1))
        assert "changed" in dags_in_force("betting_lines")["betting_lines"].tags

    def test_equals_a_newly_built_dag(self, built):
        ready, anew = (dags_in_force("betting_lines")["betting_lines"] for _ in range(2))
        stored = [DagSerialization.to_dict(dag) for dag in (ready, anew)]
        assert stored[0] == stored[1]


class TestABrokenFile:
    def dags(self):
        return {k for k, v in runpy.run_path(str(ROOT / "dags" / "workflows.py")).items() if hasattr(v, "dag_id")}

    def check(self):
        runpy.run_path(str(ROOT / "dags" / "workflows_check.py"))

    def test_leaves_the_dags_of_the_last_good_file_and_shows_its_errors(self, file):
        good = self.dags()
        self.check()
        file.write_text(file.read_text().replace("frequency_hours", "frequncy_hours"))
        assert self.dags() == good
        with pytest.raises(ConfigError, match=r"workflows.yaml:\d+:\d+: .*did you mean `frequency_hours`"):
            self.check()

    def test_shows_its_errors_if_there_was_never_a_good_file(self, file):
        file.write_text("nonsense")
        with pytest.raises(ConfigError, match="must be a mapping"):
            self.dags()

    def test_a_repaired_file_is_in_force_at_once(self, file):
        before = self.dags()
        file.write_text(file.read_text().replace("  injury_discovery:\n", "  injury_discovery:\n    enabled: false\n"))
        assert before - self.dags() == {"injury_discovery"}


class TestAFileThatLoadsAndCannotBeBuilt:
    """No such file is known. These tests fix what would happen to one."""

    @pytest.fixture
    def broken(self, monkeypatch):
        """Break the building of one workflow, or of the named DAG, during the test."""
        real = dags.workflow_dag

        def build(config, name):
            if name == "injury_discovery":
                raise ValueError("Airflow does not want it")
            return real(config, name)

        return lambda: monkeypatch.setattr(dags, "workflow_dag", build)

    def change(self, path):
        path.write_text(path.read_text().replace("  injury_discovery:\n", "  injury_discovery:\n    tags: [changed]\n"))

    def check(self):
        runpy.run_path(str(ROOT / "dags" / "workflows_check.py"))

    def test_one_workflow_is_left_out_and_shown_and_all_others_stay(self, file, broken):
        everything = set(dags_in_force())
        last_good_path().unlink()
        broken()
        assert everything - set(dags_in_force()) == {"injury_discovery"}
        with pytest.raises(ConfigError, match=r"workflows.yaml:\d+:3: workflows.injury_discovery: .* does not want it"):
            self.check()
        assert not last_good_path().exists()

    def test_it_does_not_replace_a_good_file(self, file, broken):
        dags_in_force()
        self.check()
        before = last_good_path().read_bytes()
        self.change(file)
        broken()
        dags_in_force()
        assert last_good_path().read_bytes() == before
        # A task of the same DAG reads the same configuration as the DAG was built from.
        assert "changed" not in load_or_last_good().config.workflows["injury_discovery"].tags
        with pytest.raises(ConfigError, match="does not want it"):
            self.check()

    def test_a_file_that_was_good_and_breaks_later_is_left_out_and_shown_too(self, file, broken):
        everything = set(dags_in_force())
        self.check()
        broken()
        assert everything - set(dags_in_force()) == {"injury_discovery"}
        with pytest.raises(ConfigError, match="does not want it"):
            self.check()

    def test_a_dag_that_cannot_be_stored_counts_as_one_that_cannot_be_built(self, file, monkeypatch):
        dags_in_force()
        before = last_good_path().read_bytes()
        self.change(file)

        def refuse(dag):
            if dag.dag_id == "injury_discovery":
                raise ValueError("cannot be stored")
            return {}

        monkeypatch.setattr(DagSerialization, "to_dict", refuse)
        assert "changed" not in dags_in_force()["injury_discovery"].tags
        assert last_good_path().read_bytes() == before

    def test_a_good_file_is_copied_once_and_not_at_each_parse(self, file, monkeypatch):
        dags_in_force()
        monkeypatch.setattr(DagSerialization, "to_dict", lambda _: pytest.fail("stored again"))
        dags_in_force()
        self.check()

    def test_validate_refuses_it(self, file, broken, capsys):
        broken()
        assert main(["validate", str(file)]) == 1
        assert (
            "the DAG injury_discovery cannot be built: ValueError: Airflow does not want it" in capsys.readouterr().err
        )


def test_the_dags_exist_even_if_no_copy_can_be_kept(tmp_path, monkeypatch, caplog):
    (tmp_path / "home").write_text("a file, so that nothing can be written under it, whoever writes")
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))
    assert set(dags_in_force()) == set(DAGS)
    assert "Cannot keep a copy of the last good workflows.yaml" in caplog.text
    runpy.run_path(str(ROOT / "dags" / "workflows_check.py"))


def test_a_last_good_file_that_breaks_a_newer_rule_is_not_used(tmp_path, monkeypatch):
    (tmp_path / "orchestration").mkdir()
    (tmp_path / "orchestration" / "workflows.last-good.yaml").write_text("version: '1'")
    (tmp_path / "workflows.yaml").write_text("nonsense")
    monkeypatch.setenv("ORCHESTRATION_CONFIG", str(tmp_path / "workflows.yaml"))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match=r"workflows\.yaml: 1 error\n.*must be a mapping"):
        dags_in_force()


def test_the_conf_of_a_trigger_is_checked_against_the_parameters_of_the_form():
    kinds = {"schedule_locker": LockRequest, "cleanup": CleanupRequest, "reconcile": ReconcileRequest}
    for name, dag in DAGS.items():
        assert set(dag.params) == set(kinds.get(name, Request).model_fields), name


def test_the_form_of_a_dag_is_valid_by_default_and_its_own():
    assert {name: dag.params.validate() for name, dag in DAGS.items()} == {
        name: {key: param.value for key, param in dag.params.items()} for name, dag in DAGS.items()
    }
    forms = [dag.params.get_param("as_of") for dag in DAGS.values()]
    assert len({id(param) for param in forms}) == len(DAGS)


def test_no_task_has_a_copy_of_the_form_of_its_dag():
    """Airflow would check and store the copy for each task: more than half of the time and size of a DAG."""
    copies = {(dag.dag_id, task.task_id): set(task.params) for dag in DAGS.values() for task in dag.tasks}
    assert {(task, *params) for (_, task), params in copies.items() if params} == {("hold", "veto_reason")}


def test_the_reserved_names_of_scrapers_are_the_ids_of_our_tasks():
    scrapers = set(ours().workflows["betting_lines"].execution_plan.scrapers)
    assert set(DAGS["betting_lines"].task_ids) - scrapers == {*TASKS, "oddsa_events_by_15"}


def test_one_task_beside_finish_adds_the_events_of_all_calls():
    for name in ours().workflows:
        tell = DAGS[name].get_task("tell_tables")
        assert tell.outlets == [table_alias(table) for table in ours().tables_of(name)]
        assert [task.task_id for task in DAGS[name].tasks if task.outlets] == ["tell_tables"]
        assert tell.upstream_task_ids == DAGS[name].get_task("finish").upstream_task_ids
        assert {"finish", "tell_tables"} <= {task.task_id for task in DAGS[name].leaves}


def test_a_workflow_without_tables_has_no_task_for_events():
    bare = build_dags(changed(scrapers__nbac_injury_report__processed_in=None), only="injury_discovery")
    assert not bare["injury_discovery"].has_task("tell_tables")


def test_a_failed_watchdog_stops_no_slate_event_and_an_event_turns_no_run_green():
    cleanup = DAGS["cleanup"]
    assert {task.task_id for task in cleanup.leaves} == {"watch", "tell_slates"}
    assert cleanup.get_task("tell_slates").upstream_task_ids == {"republish_lost_files"}
    assert cleanup.get_task("tell_slates").trigger_rule is TriggerRule.ALL_DONE
