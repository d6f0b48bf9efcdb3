"""The web application with our pages. A page needs access to its DAG or task. The API server loads it on demand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Parameter, Warehouse, WarehouseError
from orchestration.records.tables import CallRecord
from orchestration.runs.clock import RunClock
from orchestration.ui import pages
from orchestration.ui.data import run_of
from orchestration.ui.pages import PageProblem, respond, show_problem
from orchestration.ui.rendering import SECURITY, TYPES, asset, console_url

app = FastAPI(title="Orchestration", docs_url=None, redoc_url=None, openapi_url=None)
app.include_router(pages.router)
app.add_exception_handler(PageProblem, show_problem)

FIRST = (
    "status", "record_count", "error_type", "error_message", "gcs_path", "triggered_at", "duration_seconds", "opts",
)  # fmt: skip
"""The columns that the table shows first."""
MAY_SEE = [Depends(requires_access_dag("GET", DagAccessEntity.TASK_LOGS))]


def rows_of_call(
    session: SessionDep,
    dag_id: str,
    run_id: Annotated[str, Query()],
    task_id: Annotated[str, Query()],
    map_index: int,
    call_index: int = -1,
) -> Sequence[dict[str, Any]]:
    """Return the rows of a task's calls, or of the call ``call_index``. The last try of a call comes first.

    Raises HTTPException: 404 without rows, 503 if BigQuery does not answer.
    """
    run = run_of(session, dag_id, run_id)
    if run is None:
        raise HTTPException(404, f"Airflow has no run {run_id} of {dag_id}. The run may have been deleted.")
    day = RunClock.of_run(run).tick.date()
    parameters: dict[str, Parameter] = {
        "dag_id": dag_id,
        "run_id": run_id,
        "task_id": task_id,
        "map_index": map_index,
        "call_index": call_index,
        "first_date": day - timedelta(days=1),
        # A task that is cleared days later writes rows on that date.
        "last_date": max(day + timedelta(days=2), RunClock.wall().date()),
    }
    try:
        rows = Warehouse().query(statement("call_rows"), parameters)
    except WarehouseError as error:
        raise HTTPException(503, str(error)) from None
    if not rows:
        raise HTTPException(404, f"{task_id} has no row yet. The call was not made, or its row is still in the outbox.")
    return rows


Rows = Annotated[Sequence[dict[str, Any]], Depends(rows_of_call)]


@app.get("/dags/{dag_id}/call", response_class=HTMLResponse, dependencies=MAY_SEE)
def call(request: Request, dag_id: str, rows: Rows) -> Response:
    """Show the rows of a call, or the table of calls of a task that made several."""
    columns = [*FIRST, *sorted(set(rows[0]) - set(FIRST))]
    last = {row["call_index"]: row for row in reversed(rows)}
    calls = [CallRecord.read(row) for row in reversed(last.values())] if len(last) > 1 else []
    dataset = Warehouse().audit
    return respond(request, "call.html", dag_id=dag_id, rows=rows, calls=calls, columns=columns, dataset=dataset)


@app.get("/dags/{dag_id}/file", dependencies=MAY_SEE)
def file(request: Request, dag_id: str, rows: Rows) -> RedirectResponse:
    """Redirect to the file of a call, or to the table of calls of a task that made several."""
    if len({row["call_index"] for row in rows}) > 1:
        return RedirectResponse(f"call?{request.url.query}")
    for row in rows:
        if row["gcs_path"]:
            return RedirectResponse(console_url(row["gcs_path"]))
    raise HTTPException(404, f"{rows[0]['label']} has no file: {rows[0]['error_message'] or rows[0]['status']}")


@app.get("/static/{name}")
def static(name: str, _: GetUserDep) -> Response:
    """Return a static file to any logged-in user. Static files contain no data."""
    try:
        body = asset(name)
    except KeyError:
        raise HTTPException(404, f"There is no static file {name}.") from None
    media_type = TYPES[name[name.rindex(".") :]]
    return Response(body, media_type=media_type, headers={**SECURITY, "Cache-Control": "private, max-age=3600"})
