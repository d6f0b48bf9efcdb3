"""BigQuery through the Google provider's hook. Every request has a limit of time, every query one of bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from orchestration.audit.statements import Partition, filled
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
"""An append that BigQuery cannot take now is tried again for this long."""
NOT_ABOUT_ROWS = {401, 403, 404, 407, 408, 425, 429}
"""HTTP statuses about rights, names and quotas: the rows are not at fault."""
QUOTA_REASONS = {"quotaExceeded", "rateLimitExceeded"}
"""Reasons in BigQuery's errors that mean a quota, with status 403."""
MAX_BYTES_BILLED = 1_000_000_000
"""Our statements read a few MB each. BigQuery refuses a query that would read more than this (lesson C6)."""

Parameter = str | int | float | bool | date | datetime | Sequence[str]


class WarehouseError(UserError):
    """BigQuery did not answer or refused. This error never means "there are no rows" (lesson K8)."""

    next_step = "check the connection google_cloud_default"


class RowsRejected(WarehouseError):
    """BigQuery refused rows. ``errors`` maps the position of a row to the error."""

    def __init__(self, table: str, errors: Mapping[int, str]) -> None:
        self.errors = dict(errors)
        first = next(iter(self.errors.values()))
        super().__init__(f"BigQuery refused {len(self.errors)} row(s) for {table}; the first: {first}")


class AppendRefused(WarehouseError):
    """BigQuery refused a whole append. One of its rows is at fault, and BigQuery does not name it."""


class AppendTooLarge(AppendRefused):
    """BigQuery refused an append for its size (413)."""


class AppendFailed(AppendRefused):
    """BigQuery answered an append with 500: a row may be at fault, or BigQuery itself for a short time."""


@dataclass(frozen=True)
class Layout:
    """The columns of a table with their types, and how the table is partitioned."""

    columns: Mapping[str, str]
    partition: Partition


class Warehouse:
    """Queries and appends. A task or command makes one; the client is created at first use.

    ``settings`` name the audit dataset and the table of the schedule. The default is the configuration in use.
    """

    def __init__(self, settings: Settings | None = None, connection: str = CONNECTION) -> None:
        self.connection = connection
        self._settings = settings
        self._client: Client | None = None
        self._failing = False
        """Whether the last append failed. Then the next append is tried only once."""
        self.ahead: timedelta | None = None
        """How far our clock was ahead of BigQuery's when the last query ended, plus the time until its answer."""

    @cached_property
    def settings(self) -> Settings:
        """The settings that name datasets and tables. Raises ConfigError if no configuration can be read."""
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
        """The Google project of the tables: of the connection, else of its credentials."""
        return str(self.hook.project_id)

    @property
    def client(self) -> Client:
        """The Google client of the hook."""
        if self._client is None:
            self._client = self.hook.get_client(project_id=self.hook.project_id)
        return self._client

    def query(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> list[dict[str, Any]]:
        """Return the rows of ``sql``. Its placeholders such as ``{audit}`` are filled in here.

        Raises WarehouseError within ``QUERY_SECONDS`` if BigQuery does not answer or refuses.
        """
        from google.cloud.bigquery import QueryJobConfig

        sql = filled(sql, self.settings)

        config = QueryJobConfig(
            query_parameters=[_parameter(name, value) for name, value in (parameters or {}).items()],
            maximum_bytes_billed=MAX_BYTES_BILLED,
            use_query_cache=False,
        )
        try:
            # No automatic retry: the task has retries of its own.
            job = self.client.query(sql, job_config=config, timeout=QUERY_SECONDS, retry=None, job_retry=None)
            rows = [dict(row) for row in job.result(timeout=QUERY_SECONDS, retry=None, job_retry=None)]
            if job.ended is not None:
                self.ahead = datetime.now(UTC) - job.ended
            return rows
        except Exception as error:
            why, said = _why(error), _first_line(error)
            # `init` never ran here, or not since the last release.
            old = why is NoAnswer.GONE or "unrecognized name" in said.lower()
            hint = "; `python -m orchestration init` makes or names what is missing" if old else ""
            raise WarehouseError(f"{why.value}: {said}{hint}") from error

    def append(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append ``rows`` to an audit table by streaming (lessons C7, E11).

        Raises RowsRejected if some rows were refused and the others appended, AppendRefused if the whole append was
        refused for a row in it, WarehouseError if BigQuery did not answer.
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
            answer = _last_error(error)
            if isinstance(answer, GoogleAPICallError) and (kind := _refusal(int(answer.code or 0))) is not None:
                raise kind(f"BigQuery refused the rows for {table}: {_first_line(error)}") from error
            raise WarehouseError(f"BigQuery took no rows for {table}: {_first_line(error)}") from error
        if errors:
            raise RowsRejected(table, {int(e["index"]): masked(str(e.get("errors", e))) for e in errors})

    def schema(self, table: str) -> Sequence[SchemaField] | None:
        """Return the columns of ``dataset.table``, or None if the table does not exist."""
        found = self._table(table)
        return None if found is None else list(found.schema)

    def layout(self, table: str) -> Layout:
        """Return the columns and the partition of ``dataset.table``. Raises WarehouseError if it does not exist."""
        found = self._table(table)
        if found is None:
            raise WarehouseError(f"{NoAnswer.GONE.value} {table}")
        columns = {column.name: column.field_type for column in found.schema}
        return Layout(columns, _partition(found, columns))

    def describe(self, routine: str, text: str) -> None:
        """Set the description of the routine ``dataset.name``."""
        try:
            found = self.client.get_routine(f"{self.client.project}.{routine}", timeout=QUERY_SECONDS, retry=None)
            found.description = text
            self.client.update_routine(found, ["description"], timeout=QUERY_SECONDS, retry=None)
        except Exception as error:
            raise WarehouseError(f"BigQuery did not describe {routine}: {_first_line(error)}") from error

    def add_columns(self, table: str, columns: Sequence[SchemaField]) -> None:
        """Add nullable columns to ``dataset.table``. Nothing else of the table changes."""
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


def _partition(table: Table, columns: Mapping[str, str]) -> Partition:
    """Return how a table is partitioned."""
    by_time, by_number = table.time_partitioning, table.range_partitioning
    if by_number is not None and by_number.field:
        return Partition("integer", by_number.field)
    if by_time is None:
        return Partition()
    granularity = by_time.type_ or "DAY"
    if by_time.field is None:
        # The time of loading is a column that the schema does not name.
        return Partition("ingestion", "_PARTITIONTIME", granularity)
    kind = columns.get(by_time.field, "")
    if kind not in ("DATE", "DATETIME", "TIMESTAMP"):
        raise WarehouseError(f"{table.dataset_id}.{table.table_id} is partitioned by {by_time.field}, a {kind} column")
    return Partition(kind.lower(), by_time.field, granularity)


def _refusal(code: int) -> type[AppendRefused] | None:
    """Return the error for an HTTP status that means a refused append, or None if BigQuery cannot take rows now."""
    if code == 413:
        return AppendTooLarge
    if code == 500:
        return AppendFailed
    return AppendRefused if 400 <= code < 500 and code not in NOT_ABOUT_ROWS else None


def _why(error: Exception) -> NoAnswer:
    """Return why BigQuery did not answer or refused, as far as the error says it."""
    from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound, TooManyRequests, Unauthorized

    if not isinstance(error, GoogleAPICallError):
        # The error is not an answer of BigQuery. A key file, for example, was not found.
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


def _last_error(error: Exception) -> Exception:
    """Return ``error``, or the error of the last try if the request was tried several times."""
    from google.api_core.exceptions import RetryError

    return error.cause or error if isinstance(error, RetryError) else error


def _first_line(error: Exception) -> str:
    """Return an error in one line without secrets. Airflow's logs show the whole error, also without secrets."""
    from requests import RequestException, Timeout

    hide_in_logs(error)
    error = _last_error(error)
    if isinstance(error, RequestException) and error.request is not None and error.response is None:
        # The text of such an error is a long chain of wrapped exceptions.
        what = "took too long" if isinstance(error, Timeout) else "cannot be reached"
        return f"{urlsplit(str(error.request.url)).netloc.rpartition('@')[2]} {what}"
    text = str(error).strip()
    return f"{type(error).__name__}: {masked(text.splitlines()[0])[:300] if text else 'no message'}"
