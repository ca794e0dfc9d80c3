"""Runs: start, look into, read what they printed, cancel, pause."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from nexaflow_cli.server.bodies import CancelRun, Nothing, StartRun, json_body
from nexaflow_cli.server.responses import Json
from nexaflow_cli.server.routing import API, Cursor, Limit, Routes, RunId, daemon_of, who

routes = Routes("runs", "Executions of workflows.")
_ONE = f"{API}/runs/{{run}}"
_STATUSES = "queued running waiting paused success failed cancelled"


@routes.add(
    "POST", f"{API}/runs", "Start a run", answer="Run", body=StartRun, status=201,
    about_answer="The run; it is durable, and will reach an end.",
)  # fmt: skip
async def start_run(request: Request) -> Response:
    """The answer does not wait for the end. With an `idempotency_key`, a repeated request
    answers with the run of the first."""
    asked = await json_body(request, StartRun)
    run = await daemon_of(request).runs.start(
        asked.workflow,
        asked.inputs,
        idempotency_key=asked.idempotency_key,
        by=who(request).name,
    )
    return Json(run, 201, {"Location": f"{API}/runs/{run['id']}"})


@routes.add("GET", f"{API}/runs", "List runs", answer="RunPage")
async def list_runs(
    request: Request,
    workflow: Annotated[str | None, Query(max_length=200, description="Only of this one.")] = None,
    status: Annotated[str | None, Query(max_length=20, description=f"One of: {_STATUSES}.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The newest first, without their steps."""
    return Json(await daemon_of(request).runs.list(workflow, status, limit, cursor))


@routes.add("GET", _ONE, "Get a run", answer="RunDetail")
async def get_run(request: Request, run: RunId) -> Response:
    """With each step: its attempts, its output, why it failed or was skipped."""
    return Json(await daemon_of(request).runs.get(run))


@routes.add("GET", f"{_ONE}/logs", "Read what a run printed", answer="LogPage")
async def run_logs(
    request: Request,
    run: RunId,
    step: Annotated[str | None, Query(max_length=1000, description="Only this step's.")] = None,
    after: Annotated[
        int, Query(ge=0, le=2**53, description="Lines after this one; `next` of the page before.")
    ] = 0,
    limit: Limit = 1000,
) -> Response:
    """`next` is null once there is no more now; `done` tells that there will be no more."""
    return Json(await daemon_of(request).runs.logs(run, step, after, limit))


@routes.add("POST", f"{_ONE}/cancel", "Cancel a run", answer="RunDetail", body=CancelRun)
async def cancel_run(request: Request, run: RunId) -> Response:
    """Running steps are stopped; `on_cancel` and `finally` still run."""
    asked = await json_body(request, CancelRun)
    answer = await daemon_of(request).runs.cancel(run, asked.reason, who(request).name)
    return Json(answer)


@routes.add("POST", f"{_ONE}/pause", "Pause a run", answer="RunDetail", body=Nothing)
async def pause_run(request: Request, run: RunId) -> Response:
    """Steps that run come to their end; no other starts."""
    await json_body(request, Nothing)
    return Json(await daemon_of(request).runs.pause(run, who(request).name))


@routes.add("POST", f"{_ONE}/resume", "Resume a run", answer="RunDetail", body=Nothing)
async def resume_run(request: Request, run: RunId) -> Response:
    """Go on where it was paused."""
    await json_body(request, Nothing)
    return Json(await daemon_of(request).runs.resume(run, who(request).name))
