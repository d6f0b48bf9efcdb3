"""Why BigQuery did not do what was asked, from the error that its client raises."""

import pytest
from google.api_core.exceptions import BadRequest, Forbidden, NotFound, ServiceUnavailable, TooManyRequests
from google.auth.exceptions import DefaultCredentialsError

from orchestration.audit.warehouse import _why
from orchestration.words import NoAnswer


class Odd(ValueError):
    """An error whose ``errors`` is no list, as that of a validation is."""

    def errors(self):
        return []


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (NotFound("Table nba_raw.x was not found"), NoAnswer.GONE),
        (BadRequest("Dataset x does not exist"), NoAnswer.GONE),
        (Forbidden("no bigquery.jobs.create"), NoAnswer.FORBIDDEN),
        (Forbidden("full", errors=[{"reason": "quotaExceeded"}]), NoAnswer.QUOTA),
        (TooManyRequests("slower"), NoAnswer.QUOTA),
        (ServiceUnavailable("later"), NoAnswer.DOWN),
        (DefaultCredentialsError("File key.json was not found."), NoAnswer.DOWN),
        (TimeoutError("the host does not exist"), NoAnswer.DOWN),
        (Odd("not found"), NoAnswer.DOWN),
    ],
)
def test_only_an_answer_of_bigquery_gives_a_reason(error, why):
    assert _why(error) is why
