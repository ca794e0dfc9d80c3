"""How the modules of routes declare what they answer."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import Path, Query
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from nexaflow_cli.errors import UsageError
from nexaflow_cli.runtime.daemon import Daemon
from nexaflow_cli.server.auth import Identity
from nexaflow_cli.server.bodies import Body
from nexaflow_cli.spec.nearest import did_you_mean

API = "/api/v2"
PROBLEM = {
    "description": "What is wrong, and what to try.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}

Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many items.")]
Cursor = Annotated[
    str | None,
    Query(max_length=4096, description="The `next` of the page before.", examples=["1042"]),
]
Name = Annotated[str, Path(max_length=200, description="Name of a workflow.")]
RunId = Annotated[str, Path(max_length=200, description="Id of a run.")]

Endpoint = TypeVar("Endpoint", bound=Callable[..., Coroutine[Any, Any, Response]])


class StrictRoute(APIRoute):
    """A route that refuses query parameters it does not know, as a misspelt filter filters
    nothing."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        known = frozenset(param.alias for param in self.dependant.query_params)
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            if request.scope["query_string"]:
                for name in request.query_params.keys() - known:
                    raise _unknown(name, known)
            return await handle(request)

        return strict


def _unknown(name: str, known: frozenset[str]) -> UsageError:
    hint = did_you_mean(name, known)
    return UsageError(f"query parameter {name[:60]!r} is not known here", hint=hint)


@dataclass
class Routes:
    """The routes of one noun, collected by decorators."""

    tag: str
    about: str
    found: list[tuple[str, Callable[..., Any], dict[str, Any]]] = field(default_factory=list)

    def add(
        self,
        method: str | list[str],
        path: str,
        summary: str,
        *,
        answer: str | dict[str, Any] | None,
        status: int = 200,
        about_answer: str = "",
        body: type[Body] | dict[str, Any] | None = None,
        hidden: bool = False,
    ) -> Callable[[Endpoint], Endpoint]:
        """Register an endpoint.

        Args:
            answer: the schema of the JSON answered, by its name among the components; or the
                `content` of an answer that is no JSON; None: it has no content.
            body: the shape of the JSON it takes, or the `content` of other bodies.
            hidden: leave it out of the API's description.
        """
        told: dict[str, Any] = {"description": about_answer or "Done."}
        if isinstance(answer, str):
            schema = {"$ref": f"#/components/schemas/{answer}"}
            told["content"] = {"application/json": {"schema": schema}}
        elif answer is not None:
            told["content"] = answer
        extra: dict[str, Any] = {}
        if isinstance(body, dict):
            extra["requestBody"] = {"required": False, "content": body}
        elif body is not None:
            required = any(f.is_required() for f in body.model_fields.values())
            ref = {"$ref": f"#/components/schemas/{body.__name__}"}
            content = {"application/json": {"schema": ref}}
            extra["requestBody"] = {"required": required, "content": content}

        def register(endpoint: Endpoint) -> Endpoint:
            options = {
                "methods": [method] if isinstance(method, str) else method,
                "summary": summary,
                "tags": [self.tag],
                "status_code": status,
                "response_class": Response,
                "response_model": None,
                "responses": {status: told, "4XX": PROBLEM, "5XX": PROBLEM},
                "openapi_extra": extra or None,
                "include_in_schema": not hidden,
                "operation_id": endpoint.__name__,
            }
            self.found.append((path, endpoint, options))
            return endpoint

        return register


def daemon_of(connection: HTTPConnection) -> Daemon:
    """The daemon that the application serves."""
    daemon: Daemon = connection.app.state.daemon
    return daemon


def who(connection: HTTPConnection) -> Identity:
    """Who asks; the gate has seen the key."""
    identity: Identity = connection.scope["identity"]
    return identity
