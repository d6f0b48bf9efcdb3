"""BigQuery through the Google provider's hook, with limits on time and bytes for everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from orchestration.audit.statements import filled
from orchestration.config.last_good import load_or_last_good
from orchestration.errors import UserError
from orchestration.services.errors import hide_in_logs
from orchestration.services.redaction import masked
from orchestration.vocabulary.settings import Settings
from orchestration.words import NoAnswer

if TYPE_CHECKING:
    from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
    from google.cloud.bigquery import Client, SchemaField, Table

CONNECTION = "google_cloud_default"
QUERY_SECONDS = 30
APPEND_SECONDS = 10
APPEND_RETRY_SECONDS = 10
"""So long an append that BigQuery does not take for its own reasons is tried again at once."""
NOT_ABOUT_ROWS = {401, 403, 404, 407, 408, 425, 429}
"""Answers about who asks, what for and how often; nothing in the rows is to blame."""
QUOTA_REASONS = {"quotaExceeded", "rateLimitExceeded"}
"""What BigQuery calls a quota in its errors, beside status 403."""
MAX_BYTES_BILLED = 1_000_000_000
"""No statement of ours reads more than a few MB; one that would is refused by BigQuery (lesson C6)."""

Parameter = str | int | float | bool | date | datetime | Sequence[str]


class WarehouseError(UserError):
    """BigQuery did not do what was asked. Never to be read as "there is nothing" (lesson K8)."""

    next_step = "check the connection google_cloud_default"


class RowsRejected(WarehouseError):
    """BigQuery refused rows. ``errors`` maps the position of a row to what it said."""

    def __init__(self, table: str, errors: Mapping[int, str]) -> None:
        self.errors = dict(errors)
        first = next(iter(self.errors.values()))
        super().__init__(f"BigQuery refused {len(self.errors)} row(s) for {table}; the first: {first}")


class AppendRefused(WarehouseError):
    """BigQuery refused a whole append, by its content: a row in it is to blame, and it does not say which."""


class AppendTooLarge(AppendRefused):
    """It was refused for its size (413)."""


class AppendFailed(AppendRefused):
    """BigQuery answered 500: it may be a row in it, or a fault of BigQuery that passes."""


class Warehouse:
    """Queries and appends. One per task or command; the client is made on first use.

    ``settings`` name the audit dataset and the schedule's table; by default they are those of the configuration in use.
    """

    def __init__(self, settings: Settings | None = None, connection: str = CONNECTION) -> None:
        self.connection = connection
        self._settings = settings
        self._client: Client | None = None
        self._failing = False
        """Whether the last append failed: then the next is tried once, until one gets through again."""
        self.ahead: timedelta | None = None
        """By how much our clock was ahead of BigQuery's when it last answered a query, with what the answer took."""

    @cached_property
    def settings(self) -> Settings:
        """Where the names in the statements come from. Raises ConfigError when no configuration can be read."""
        return self._settings or load_or_last_good().config.settings

    @property
    def audit(self) -> str:
        """The audit dataset."""
        return self.settings.audit_dataset

    @cached_property
    def hook(self) -> BigQueryHook:
        """The Google provider's hook."""
        from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook

        return BigQueryHook(gcp_conn_id=self.connection, use_legacy_sql=False)

    @property
    def project(self) -> str:
        """The Google project of the tables: the connection's, else that of whose credentials it has."""
        return str(self.hook.project_id)

    @property
    def client(self) -> Client:
        """The Google client of the hook."""
        if self._client is None:
            self._client = self.hook.get_client(project_id=self.hook.project_id)
        return self._client

    def query(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> list[dict[str, Any]]:
        """Return the rows of ``sql``, whose ``{audit}`` and other names are filled in.

        Raises WarehouseError within ``QUERY_SECONDS`` when that is impossible.
        """
        from google.cloud.bigquery import QueryJobConfig

        sql = filled(sql, self.settings)

        config = QueryJobConfig(
            query_parameters=[_parameter(name, value) for name, value in (parameters or {}).items()],
            maximum_bytes_billed=MAX_BYTES_BILLED,
            use_query_cache=False,
        )
        try:
            # No automatic retry: a statement that fails, fails the task, and the task has retries of its own.
            job = self.client.query(sql, job_config=config, timeout=QUERY_SECONDS, retry=None, job_retry=None)
            rows = [dict(row) for row in job.result(timeout=QUERY_SECONDS, retry=None, job_retry=None)]
            if job.ended is not None:
                self.ahead = datetime.now(UTC) - job.ended
            return rows
        except Exception as error:
            why, said = _why(error), _first_line(error)
            # A dataset that was never set up, or not since the last release.
            old = why is NoAnswer.GONE or "unrecognized name" in said.lower()
            hint = "; `python -m orchestration init` makes or names what is missing" if old else ""
            raise WarehouseError(f"{why.value}: {said}{hint}") from error

    def append(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append ``rows`` to an audit table by streaming (lessons C7, E11).

        Raises RowsRejected when some were refused (the others are in), AppendRefused when all were for what is in
        them, WarehouseError when nothing is known.
        """
        from google.api_core.exceptions import GoogleAPICallError
        from google.api_core.retry import Retry
        from google.cloud.bigquery import AutoRowIDs

        try:
            errors = self.client.insert_rows_json(
                f"{self.client.project}.{self.audit}.{table}",
                list(rows),
                row_ids=AutoRowIDs.DISABLED,
                skip_invalid_rows=True,
                timeout=APPEND_SECONDS,
                retry=None if self._failing else Retry(initial=0.5, maximum=2, timeout=APPEND_RETRY_SECONDS),
            )
            self._failing = False
        except Exception as error:
            self._failing = True
            answer = _heard_last(error)
            if isinstance(answer, GoogleAPICallError) and (kind := _refusal(int(answer.code or 0))) is not None:
                raise kind(f"BigQuery refused the rows for {table}: {_first_line(error)}") from error
            raise WarehouseError(f"BigQuery took no rows for {table}: {_first_line(error)}") from error
        if errors:
            raise RowsRejected(table, {int(e["index"]): masked(str(e.get("errors", e))) for e in errors})

    def schema(self, table: str) -> Sequence[SchemaField] | None:
        """Return the columns of ``dataset.table``, or None when it does not exist."""
        found = self._table(table)
        return None if found is None else list(found.schema)

    def partition_column(self, table: str) -> tuple[str, str] | None:
        """Return name and type of the column that ``dataset.table`` is partitioned by, or None."""
        found = self._table(table)
        if found is None:
            raise WarehouseError(f"{NoAnswer.GONE.value} {table}")
        field = found.time_partitioning.field if found.time_partitioning else None
        kinds = {column.name: column.field_type for column in found.schema}
        return (field, kinds[field]) if field else None

    def describe(self, routine: str, text: str) -> None:
        """Set the description of the routine ``dataset.name``."""
        try:
            found = self.client.get_routine(f"{self.client.project}.{routine}", timeout=QUERY_SECONDS, retry=None)
            found.description = text
            self.client.update_routine(found, ["description"], timeout=QUERY_SECONDS, retry=None)
        except Exception as error:
            raise WarehouseError(f"BigQuery did not describe {routine}: {_first_line(error)}") from error

    def add_columns(self, table: str, columns: Sequence[SchemaField]) -> None:
        """Add nullable columns to ``dataset.table``; nothing else about it changes."""
        found = self._table(table)
        if found is None:
            raise WarehouseError(f"{NoAnswer.GONE.value} {table}")
        found.schema = [*found.schema, *columns]
        try:
            self.client.update_table(found, ["schema"], timeout=QUERY_SECONDS, retry=None)
        except Exception as error:
            raise WarehouseError(f"BigQuery added no columns to {table}: {_first_line(error)}") from error

    def _table(self, table: str) -> Table | None:
        from google.api_core.exceptions import NotFound

        try:
            return self.client.get_table(f"{self.client.project}.{table}", timeout=QUERY_SECONDS, retry=None)
        except NotFound:
            return None
        except Exception as error:
            raise WarehouseError(f"BigQuery did not describe {table}: {_first_line(error)}") from error


def _refusal(code: int) -> type[AppendRefused] | None:
    """Return what kind of refusal of what was sent a status is, or None: then BigQuery is not to be had now."""
    if code == 413:
        return AppendTooLarge
    if code == 500:
        return AppendFailed
    return AppendRefused if 400 <= code < 500 and code not in NOT_ABOUT_ROWS else None


def _why(error: Exception) -> NoAnswer:
    """Return why BigQuery did not do what was asked, as far as the error says it."""
    from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound, TooManyRequests, Unauthorized

    if not isinstance(error, GoogleAPICallError):
        # Whatever it says, such as that a key file was not found: BigQuery has said nothing.
        return NoAnswer.DOWN
    reasons = {str(one.get("reason")) for one in error.errors if isinstance(one, Mapping)}
    if reasons & QUOTA_REASONS or isinstance(error, TooManyRequests):
        return NoAnswer.QUOTA
    if isinstance(error, Forbidden | Unauthorized):
        return NoAnswer.FORBIDDEN
    said = str(error).lower()
    if isinstance(error, NotFound) or any(words in said for words in ("not found", "does not exist")):
        return NoAnswer.GONE
    return NoAnswer.DOWN


def _parameter(name: str, value: Parameter) -> Any:
    from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter

    if isinstance(value, bool):
        return ScalarQueryParameter(name, "BOOL", value)
    if isinstance(value, datetime):
        return ScalarQueryParameter(name, "TIMESTAMP", value)
    if isinstance(value, date):
        return ScalarQueryParameter(name, "DATE", value)
    if isinstance(value, int):
        return ScalarQueryParameter(name, "INT64", value)
    if isinstance(value, float):
        return ScalarQueryParameter(name, "FLOAT64", value)
    if isinstance(value, str):
        return ScalarQueryParameter(name, "STRING", value)
    return ArrayQueryParameter(name, "STRING", list(value))


def _heard_last(error: Exception) -> Exception:
    """Return ``error``; of a request that was tried again until its time was up, what the last try met."""
    from google.api_core.exceptions import RetryError

    return error.cause or error if isinstance(error, RetryError) else error


def _first_line(error: Exception) -> str:
    """Return what an error says, in one line without secrets. Airflow's logs show it whole, and without them too."""
    from requests import RequestException, Timeout

    hide_in_logs(error)
    error = _heard_last(error)
    if isinstance(error, RequestException) and error.request is not None and error.response is None:
        # Its own text is a long chain of wrapped exceptions.
        what = "took too long" if isinstance(error, Timeout) else "cannot be reached"
        return f"{urlsplit(str(error.request.url)).netloc.rpartition('@')[2]} {what}"
    text = str(error).strip()
    return f"{type(error).__name__}: {masked(text.splitlines()[0])[:300] if text else 'no message'}"
