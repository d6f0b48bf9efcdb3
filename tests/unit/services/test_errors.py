"""Errors of other libraries: messages and Airflow's logs show no secret of them or of their causes."""

import traceback

import pytest
from airflow.sdk._shared.secrets_masker import redact

from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.services.errors import hide_in_logs, in_short


def chain(depth: int, secret: str) -> Exception:
    """An error whose first cause contains the secret; it is raised from another error or while handling it."""
    try:
        try:
            if depth == 0:
                raise OSError(f"GET https://me:{secret}@api.example.com/v4?apiKey={secret}&x=1")
            raise chain(depth - 1, secret)
        except Exception as error:
            if depth % 2:
                raise ValueError("what came of it") from error
            raise KeyError({"detail": f'{{"client_secret": "{secret}"}}'})  # noqa: B904
    except Exception as error:
        return error


@pytest.mark.parametrize("depth", range(5))
def test_no_log_shows_a_secret_of_an_error_or_of_its_causes(depth):
    secret = f"deep-s3cr3t-{depth}"
    error = chain(depth, secret)
    shown = "".join(traceback.format_exception(error))
    assert secret in shown
    hide_in_logs(error)
    assert secret not in redact(shown)
    assert secret not in "".join(traceback.format_exception_only(error))
    assert secret not in in_short(error)
    while (error := error.__cause__ or error.__context__) is not None:
        assert secret not in str(error)


def test_errors_of_bigquery_are_shown_and_logged_without_secrets(monkeypatch):
    class Client:
        def query(self, *_, **__):
            raise RuntimeError("POST https://bq/?apiKey=warehouse-s3cr3t: 400") from chain(2, "root-s3cr3t")

    warehouse = Warehouse()
    monkeypatch.setattr(warehouse, "_client", Client())
    with pytest.raises(WarehouseError) as caught:
        warehouse.query("SELECT 1")
    assert str(caught.value).startswith("BigQuery did not answer: RuntimeError: POST https://bq/?apiKey=***")
    said = [str(caught.value)]
    error = caught.value
    while (error := error.__cause__ or error.__context__) is not None:
        said.append(str(error))
    assert "s3cr3t" not in redact("".join(said))
    assert "s3cr3t" not in "".join(said)


def test_secrets_in_googles_errors_are_struck_out_too():
    from google.api_core.exceptions import BadRequest

    error = BadRequest("POST https://bq/?apiKey=google-s3cr3t is bad")
    hide_in_logs(error)
    assert str(error) == "400 POST https://bq/?apiKey=*** is bad"


def test_errors_that_cause_each_other_in_a_circle_do_not_hang():
    one, two = ValueError("token=circle-s3cr3t"), ValueError("b")
    one.__context__, two.__cause__ = two, one
    hide_in_logs(two)
    assert redact("circle-s3cr3t") == "***"
