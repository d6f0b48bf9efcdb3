"""What the service's own log says of a call corrects its row, and the execution's."""

from datetime import timedelta

import pytest

from orchestration.audit.service_log import corrected, corrected_execution, unexplained
from orchestration.records.tables import CallRecord, last_tries
from orchestration.services.contract import LogEntry
from orchestration.vocabulary.scrapers import BUILT_IN, answer_of
from orchestration.words import ExecutionStatus, Outcome
from support.rows import call, execution
from support.worlds import changed, et, ours

LATER = et("23:00")
FILE = "gs://nba-scraped-data/nba-com/x/1.json"
WINDOW = "post_game_window_3"
DATA, STATUS = "DownloadDataException", "InvalidHttpStatusCodeException"
NO_STATISTICS = "missing or null 'statistics' (game may not have started)"
NOT_THERE = (STATUS, "Invalid HTTP status code (no retry): 404")
TRIED = "Max decode/download retries reached: 8 (the last answer: 404 Not Found)"
NOTHING_YET = {
    "nbac_team_boxscore": [
        (DATA, "Expected 2 teams for game 0022500555, got 0"),
        (DATA, f"homeTeam {NO_STATISTICS}"),
        (DATA, f"awayTeam {NO_STATISTICS}"),
        (DATA, "Missing 'boxScoreTraditional' in response"),
    ],
    "nbac_player_boxscore": [
        (DATA, "No player rows in leaguegamelog JSON."),
        (DATA, "Missing 'boxScoreTraditional' in response"),
    ],
    "nbac_play_by_play": [NOT_THERE, ("DownloadDecodeMaxRetryException", TRIED)],
    "nbac_gamebook_pdf": [NOT_THERE],
    "nbac_injury_report": [NOT_THERE, ("DownloadDecodeMaxRetryException", TRIED), (DATA, "PDF: HTTP 404")],
    "bigdataball_pbp": [
        ("ValueError", "No game found matching query: name contains '0022500555'"),
        ("GameNotFoundError", "No game found matching query: name contains '0022500555'"),
    ],
}


def made(scraper="nbac_team_boxscore", status="success", number=1, **more):
    if status == "failed":
        more = {"error_type": "http_500", "error_message": "HTTP 500: failed", **more}
    row = call(scraper, "22:00", status, number, **more)
    return row.model_copy(update={"run_id": "633a4c76", "execution_id": "633a4c76"})


def noted(status="success", **more):
    return LogEntry(status=status, **more)


def says(row, entry, at=LATER):
    return corrected(row, entry, answer_of(row.scraper_name), at)


@pytest.mark.lesson("A2")
def test_the_log_adds_a_file_that_the_answer_does_not_name():
    row = made()
    new = says(row, noted(gcs_path=FILE))
    assert (new.gcs_path, new.status, new.created_at) == (FILE, Outcome.SUCCESS, LATER)
    assert (new.row_id, new.triggered_at) == (row.row_id, row.triggered_at)
    assert says(new, noted(gcs_path=FILE), LATER + timedelta(hours=1)) is None


def test_a_file_of_the_answer_stays():
    assert says(made(gcs_path="gs://b/answer.json"), noted(gcs_path=FILE)) is None


@pytest.mark.parametrize("path", ["", "unknown", "None", "/", "x/../y", "a/b\nc", "x" * 2000])
def test_an_invalid_path_of_the_log_is_ignored(path):
    assert says(made(), noted(gcs_path=path)) is None


@pytest.mark.lesson("A1")
@pytest.mark.lesson("F15")
@pytest.mark.parametrize(
    ("scraper", "kind", "message"), [(name, *cause) for name, causes in NOTHING_YET.items() for cause in causes]
)
def test_an_error_that_means_no_data_yet_becomes_no_data_with_its_cause(scraper, kind, message):
    new = says(made(scraper, "failed"), noted("failed", error_type=kind, error_message=message))
    assert (new.status, new.error_type, new.error_message) == (Outcome.NO_DATA, kind, message)


def test_every_scraper_with_signs_is_tested():
    assert {name for name in BUILT_IN if answer_of(name).no_data} == set(NOTHING_YET)


@pytest.mark.parametrize(
    ("scraper", "kind", "message"),
    [
        ("nbac_team_boxscore", "DownloadDecodeMaxRetryException", "Max decode/download retries reached: 8"),
        ("nbac_team_boxscore", DATA, "Response is not a JSON object"),
        ("nbac_team_boxscore", DATA, "Validation failed: 'statistics'"),
        ("nbac_play_by_play", STATUS, "Invalid HTTP status code (no retry): 403"),
        ("nbac_play_by_play", STATUS, "Invalid HTTP status code (no retry): 403 for game 0022500404"),
        ("nbac_injury_report", STATUS, "Invalid HTTP status code (no retry): 403 for 4042"),
        ("nbac_injury_report", "http_404", "HTTP 404: no such page"),
        ("nbac_player_boxscore", "ValueError", "No player rows"),
        ("bigdataball_pbp", "ValueError", "The file is empty"),
        ("bigdataball_pbp", STATUS, "404"),
        ("br_season_roster", DATA, "Expected 2 teams"),
    ],
)
def test_any_other_error_stays_a_failure_with_the_cause_of_the_log(scraper, kind, message):
    new = says(made(scraper, "failed"), noted("failed", error_type=kind, error_message=message, retry_count=8))
    assert (new.status, new.error_type, new.error_message) == (Outcome.FAILED, kind, message)
    assert (new.service_retries, new.retry_count) == (8, 0)
    assert says(new, noted("failed", error_type=kind, error_message=message, retry_count=8)) is None


def test_our_cause_stays_if_the_log_has_none():
    assert says(made(status="failed"), noted("failed")) is None
    new = says(made(status="failed"), noted("failed", error_message="out of memory"))
    assert (new.error_type, new.error_message) == ("http_500", "out of memory")


def test_secrets_of_the_log_stay_out_of_our_row_and_a_second_correction_changes_nothing():
    entry = noted("failed", error_type="E", error_message=f"GET https://x?api_key=abc123 {'x' * 2000}")
    new = says(made(status="failed"), entry)
    assert "abc123" not in new.error_message
    assert len(new.error_message) <= 1000
    assert says(new, entry) is None


@pytest.mark.parametrize("status", ["no_data", "failed", "running"])
def test_our_success_stays_a_success_for_every_status_of_the_log(status):
    """The service of November 2025 calls nearly everything no_data, and names no file."""
    kind, message = NOTHING_YET["nbac_team_boxscore"][0]
    assert says(made(), noted(status, error_type=kind, error_message=message)) is None


def test_a_failure_that_the_log_calls_no_data_without_a_cause_stays_a_failure():
    assert says(made(status="failed"), noted("no_data")) is None


def test_a_success_in_the_log_has_no_cause():
    kind, message = NOTHING_YET["nbac_team_boxscore"][0]
    new = says(made(status="failed"), noted(gcs_path=FILE, error_type=kind, error_message=message))
    assert (new.status, new.error_type, new.gcs_path) == (Outcome.FAILED, "http_500", FILE)


def test_a_later_version_is_later_even_if_clocks_differ():
    row = made()
    assert says(row, noted(gcs_path=FILE), row.created_at - timedelta(hours=1)).created_at > row.created_at


def test_the_log_is_read_only_for_calls_it_can_explain():
    assert unexplained(made())
    assert unexplained(made(status="failed"))
    assert not unexplained(made(gcs_path=FILE))
    assert not unexplained(made(status="no_data"))
    no_answer = call("nbac_team_boxscore", "22:00", "failed")
    assert not unexplained(no_answer.model_copy(update={"run_id": no_answer.row_id}))


def test_a_row_read_from_bigquery_equals_the_written_row():
    row = made(opts={"game_id": "0022500555"}, data_summary={"teamCount": 2})
    for stored in (row.to_json(), {**dict(row), "another_column": 1, "recovery": None}):
        assert CallRecord.whole(stored) == row


class TestExecution:
    """An execution's row follows its calls."""

    def row(self, status="failed", triggered=2, failed=1, error="nbac_team_boxscore: http_500", **more):
        row = execution(WINDOW, "04:00", status)
        counts = {"scrapers_triggered": triggered, "scrapers_succeeded": triggered - failed, "scrapers_failed": failed}
        return row.model_copy(update={**counts, "error_message": error, **more})

    @pytest.mark.lesson("K7")
    def test_an_execution_with_only_no_data_calls_is_completed(self):
        calls = [made(status="no_data", error_type="DownloadDataException"), made("nbac_player_boxscore")]
        row = self.row()
        new = corrected_execution(row, calls, ours(), LATER)
        assert (new.status, new.error_message) == (ExecutionStatus.COMPLETED, None)
        assert (new.scrapers_succeeded, new.scrapers_failed, new.scrapers_no_data) == (2, 0, 1)
        assert (new.execution_id, new.execution_time) == (row.execution_id, row.execution_time)
        assert new.created_at > row.created_at
        assert corrected_execution(new, calls, ours(), LATER) is None

    def test_a_call_that_still_failed_is_named_with_its_cause(self):
        blocked = made("nbac_play_by_play", "failed", error_type="DownloadDecodeMaxRetryException")
        calls = [made(status="no_data", error_type="DownloadDataException"), blocked]
        new = corrected_execution(self.row(failed=2), calls, ours(), LATER)
        assert new.status is ExecutionStatus.PARTIAL
        assert new.error_message == "nbac_play_by_play None: DownloadDecodeMaxRetryException"
        assert corrected_execution(new, calls, ours(), LATER) is None

    def test_a_call_that_was_not_made_stays_so(self):
        config = changed(scrapers__nbac_player_boxscore__depends_on=["nbac_team_boxscore"])
        error = "nbac_team_boxscore: http_500; nbac_player_boxscore: not made, what it needs failed"
        calls = [made(status="no_data", error_type="DownloadDataException")]
        new = corrected_execution(self.row(triggered=1, error=error), calls, config, LATER)
        assert new.status is ExecutionStatus.FAILED
        assert new.error_message == "nbac_player_boxscore: not made, what it needs failed"
        assert (new.scrapers_triggered, new.scrapers_failed, new.scrapers_no_data) == (1, 0, 1)

    def test_many_calls_that_were_not_made_stay_so(self):
        error = "2 things; 12 calls of nbac_play_by_play: not made, what it needs failed"
        calls = [made(status="no_data", error_type="DownloadDataException")]
        new = corrected_execution(self.row(triggered=1, error=error), calls, ours(), LATER)
        assert new.status is ExecutionStatus.PARTIAL
        assert new.error_message == "12 calls of nbac_play_by_play: not made, what it needs failed"

    def test_an_execution_with_an_unknown_call_is_not_corrected(self):
        assert corrected_execution(self.row(triggered=3), [made(), made()], ours(), LATER) is None
        assert corrected_execution(self.row(triggered=0, failed=0), [made()], ours(), LATER) is None

    def test_a_run_that_was_vetoed_or_missed_its_deadline_before_its_calls_stays_as_it_is(self):
        row = self.row(triggered=0, failed=0, error="Vetoed by me")
        assert corrected_execution(row, [], ours(), LATER) is None

    def test_an_execution_with_a_cut_message_is_not_corrected(self):
        calls = [made(status="no_data"), made("nbac_player_boxscore")]
        assert corrected_execution(self.row(error="x" * 1000), calls, ours(), LATER) is None

    def test_an_execution_of_a_removed_workflow_is_not_corrected(self):
        row = self.row(workflow_name="gone")
        assert corrected_execution(row, [made(), made("nbac_player_boxscore")], ours(), LATER) is None


def test_the_last_try_of_each_call_counts():
    first, second, other = made(status="failed"), made(number=2), made("nbac_player_boxscore")
    assert last_tries([second, first, other]) == [second, other]
