"""`http.request`: one HTTP exchange, bounded in time and size."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nexaflow_cli.actions.base import Action, ActionError, Call
from nexaflow_cli.actions.content import described, file_errors, to_json
from nexaflow_cli.actions.http_answer import as_value, expected, read_body, retry_after
from nexaflow_cli.actions.http_schema import EXAMPLE, METHODS, OUTPUT, SCHEMA
from nexaflow_cli.actions.params import choice, flag, invalid, mapping, seconds, text, whole

if TYPE_CHECKING:
    import httpx

_TRANSIENT = frozenset((408, 425, 429))


async def _run(params: dict[str, Any], call: Call) -> dict[str, Any]:
    import asyncio

    from nexaflow_cli.actions import http_client

    limit = seconds(params, "timeout") if "timeout" in params else 30.0
    redirects = whole(params, "max_redirects", 10) if flag(params, "follow_redirects", True) else 0
    accepted = expected(params.get("expect", ["2xx"]))
    client = await http_client.client(flag(params, "verify", True))
    import httpx  # after the client: it was loaded off the loop

    request = _request(client, params)
    started = time.monotonic()
    try:
        async with asyncio.timeout(limit or None):
            response = await http_client.send(client, request, redirects)
            try:
                good = accepted(response.status_code)
                body = await _body(params, call, response, good)
            finally:
                await response.aclose()
    except TimeoutError:
        raise ActionError(
            f"{call.log.mask(http_client.place(request))}: no whole answer within {limit:g} s",
            type="timeout",
        ) from None
    except httpx.HTTPError as error:
        failed = http_client.connection_failure(error, request)
        raise _masked(failed, call) from error
    except ActionError as error:
        raise _masked(error, call) from None
    output: dict[str, Any] = {
        "status": response.status_code,
        "headers": dict(response.headers),
        "url": str(response.url),
        "elapsed_ms": round((time.monotonic() - started) * 1000),
    }
    if not good:
        output["encoding"], output["body"] = as_value(response, body)
        raise _unexpected(response, output, call)
    if "save_to" in params:
        path = text(params, "save_to")
        async with file_errors(f"write {path}"):
            output["file"] = described(await call.files.write(path, body))
        output["encoding"], output["body"] = "file", None
    else:
        output["encoding"], output["body"] = as_value(response, body)
    return output


async def _body(params: dict[str, Any], call: Call, response: httpx.Response, good: bool) -> bytes:
    if not good:  # enough to say why
        return await read_body(response, 64 * 1024, cut=True)
    if "save_to" in params:
        return await read_body(response, call.limits.response)
    return await read_body(response, min(call.limits.response, call.limits.output))


def _request(client: httpx.AsyncClient, params: dict[str, Any]) -> httpx.Request:
    import httpx

    from nexaflow_cli.actions.http_client import check_scheme

    try:
        url = httpx.URL(text(params, "url").strip())
    except httpx.InvalidURL as error:
        raise invalid(f"`url` is no address: {error}") from None
    check_scheme(url)
    if query := mapping(params, "query"):
        url = url.copy_merge_params(
            {name: _plain(value) for name, value in query.items() if value is not None}
        )
    headers = {name: _plain(value) for name, value in mapping(params, "headers").items()}
    content = _content(params, headers)
    try:
        return client.build_request(
            choice(params, "method", METHODS, "GET"),
            url,
            headers={**headers, **_authorization(params, headers)},
            content=content,
        )
    except (UnicodeEncodeError, ValueError, TypeError):
        # The words of the error could quote a header, and so a secret.
        raise invalid("a header holds characters that HTTP does not allow") from None


def _plain(value: Any) -> Any:
    """A value of a header or of a query as text; a list of them stays a list."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _content(params: dict[str, Any], headers: dict[str, Any]) -> bytes | None:
    """The body, and its Content-Type into the headers where none is given."""
    given = [name for name in ("json", "form", "body") if name in params]
    if len(given) > 1:
        raise invalid(f"give one body only, not {' and '.join(f'`{name}`' for name in given)}")
    if not given:
        return None
    name = given[0]
    if name == "json":
        kind, content = "application/json", to_json(params["json"])
    elif name == "form":
        from urllib.parse import urlencode

        fields = {key: _plain(value) for key, value in mapping(params, "form").items()}
        kind = "application/x-www-form-urlencoded"
        content = urlencode(fields, doseq=True).encode()
    else:
        kind, content = "text/plain; charset=utf-8", text(params, "body").encode("utf-8", "replace")
    if not any(header.lower() == "content-type" for header in headers):
        headers["Content-Type"] = kind
    return content


def _authorization(params: dict[str, Any], headers: dict[str, Any]) -> dict[str, str]:
    import base64

    auth = mapping(params, "auth")
    if not auth:
        return {}
    if any(header.lower() == "authorization" for header in headers):
        raise invalid("give `auth` or the header Authorization, not both")
    if "bearer" in auth:
        return {"Authorization": f"Bearer {text(auth, 'bearer')}"}
    basic = mapping(auth, "basic")
    user = f"{text(basic, 'username')}:{text(basic, 'password', '')}".encode()
    return {"Authorization": f"Basic {base64.b64encode(user).decode()}"}


def _unexpected(response: httpx.Response, output: dict[str, Any], call: Call) -> ActionError:
    from nexaflow_cli.actions.http_client import place

    status = response.status_code
    said = f"{place(response.request)} answered {status} {response.reason_phrase}".rstrip()
    # Masked before it is cut, or half a secret would be told.
    if output["encoding"] == "text" and (words := call.log.mask(output["body"]).split()):
        said += f": {' '.join(words)[:200]}"
    elif isinstance(output["body"], dict):
        body = output["body"]
        told = (body.get(name) for name in ("detail", "message", "error", "title"))
        if word := next((word for word in told if isinstance(word, str)), ""):
            said += f": {call.log.mask(word)[:200]}"
    return ActionError(
        call.log.mask(said),
        type="http",
        http_status=status,
        retryable=status in _TRANSIENT or status >= 500,
        output=output,
        retry_after=retry_after(response, call.now()),
    )


def _masked(error: ActionError, call: Call) -> ActionError:
    error.message = call.log.mask(error.message)
    error.args = (error.message,)
    return error


ACTION = Action(
    name="http.request",
    summary="Send an HTTP request and check the answer.",
    schema=SCHEMA,
    run=_run,
    output=OUTPUT,
    example=EXAMPLE,
)
