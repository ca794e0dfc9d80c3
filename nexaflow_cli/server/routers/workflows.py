"""Workflows: apply, look at, pause, delete."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from nexaflow_cli.server.bodies import Apply, Nothing, json_body
from nexaflow_cli.server.responses import Json
from nexaflow_cli.server.routing import API, Cursor, Limit, Name, Routes, daemon_of, who

routes = Routes("workflows", "Versioned definitions, and how they have done.")
_ONE = f"{API}/workflows/{{name}}"


@routes.add("GET", f"{API}/workflows", "List workflows", answer="WorkflowPage")
async def list_workflows(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Ordered by name."""
    return Json(await daemon_of(request).workflows.list(limit, cursor))


@routes.add("POST", f"{API}/workflows/apply", "Apply definitions", answer="Applied", body=Apply)
async def apply_workflows(request: Request) -> Response:
    """All of them or, if one is wrong, none: then a 422 with `diagnostics` tells every problem
    with its file, line and column."""
    asked = await json_body(request, Apply)
    applied = await daemon_of(request).workflows.apply(
        [(document.filename, document.source) for document in asked.documents],
        prune=asked.prune,
        dry_run=asked.dry_run,
        author=who(request).name,
    )
    return Json(applied)


@routes.add("GET", _ONE, "Get a workflow", answer="Workflow")
async def get_workflow(request: Request, name: Name) -> Response:
    """With its `source`."""
    return Json(await daemon_of(request).workflows.get(name))


@routes.add("DELETE", _ONE, "Delete a workflow", answer="Change")
async def delete_workflow(request: Request, name: Name) -> Response:
    """Its open runs go on, and its history stays."""
    return Json(await daemon_of(request).workflows.delete(name))


@routes.add("POST", f"{_ONE}/pause", "Pause a workflow", answer="Workflow", body=Nothing)
async def pause_workflow(request: Request, name: Name) -> Response:
    """Triggers start nothing more until it is resumed; runs can still be started by hand."""
    await json_body(request, Nothing)
    return Json(await daemon_of(request).workflows.pause(name))


@routes.add("POST", f"{_ONE}/resume", "Resume a workflow", answer="Workflow", body=Nothing)
async def resume_workflow(request: Request, name: Name) -> Response:
    """Triggers start runs again."""
    await json_body(request, Nothing)
    return Json(await daemon_of(request).workflows.resume(name))


@routes.add("GET", f"{_ONE}/history", "List what a workflow did", answer="HistoryPage")
async def workflow_history(
    request: Request, name: Name, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Its runs, the newest first; also of a workflow that was deleted."""
    return Json(await daemon_of(request).workflows.history(name, limit, cursor))


@routes.add("GET", f"{_ONE}/stats", "Sum up a workflow", answer="Stats")
async def workflow_stats(request: Request, name: Name) -> Response:
    """How many runs, how they ended, and how long they took."""
    return Json(await daemon_of(request).workflows.stats(name))


@routes.add("GET", f"{_ONE}/errors", "List what failed in a workflow", answer="ErrorPage")
async def workflow_errors(
    request: Request, name: Name, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Each failed attempt of a step, the newest first."""
    return Json(await daemon_of(request).workflows.errors(name, limit, cursor))
