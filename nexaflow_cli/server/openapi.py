"""The API's description of itself."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from nexaflow_cli import __version__

ABOUT = """\
Workflows as YAML, durable runs, history.

Every request but `GET /health` shows a key: `Authorization: Bearer nxk_…`. Lists answer with
`items` and `next`; give `next` as `cursor` to get the page after. Errors are
`application/problem+json` with a `code` for programs, a `detail` for people and a `hint`.
Times are ISO 8601 in UTC. A client says its version in `X-Nexaflow-Client: nexaflow-cli/2.0.0`, and
is told of a mismatch in `X-Nexaflow-Notice`.

`GET /api/v2/live?run=ID&after=SEQ&logs=1` is a WebSocket that sends runs and steps as they
happen, a JSON object a frame; `docs/api.md` describes the frames.
"""


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document; made at the first call."""
    if app.openapi_schema is None:
        app.openapi_schema = _describe(app)
    return app.openapi_schema


def _describe(app: FastAPI) -> dict[str, Any]:
    from nexaflow_cli.server import bodies
    from nexaflow_cli.server.routers import REGISTRY
    from nexaflow_cli.server.schemas import COMPONENTS

    tags = {routes.tag: routes.about for routes in REGISTRY if routes.tag != "v1"}
    document = get_openapi(
        title="NexaFlow",
        version=__version__,
        summary="Workflow automation as YAML, run by one small durable daemon.",
        description=ABOUT,
        routes=app.routes,
        tags=[{"name": name, "description": about} for name, about in tags.items()],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.update(COMPONENTS)
    template = "#/components/schemas/{model}"
    for shape in bodies.Body.__subclasses__():
        schema = shape.model_json_schema(ref_template=template)
        schemas.update(schema.pop("$defs", {}))
        schemas[shape.__name__] = schema
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key: `nxk_…`."}
    }
    document["security"] = [{"key": []}]
    document["paths"]["/health"]["get"]["security"] = []
    return document
