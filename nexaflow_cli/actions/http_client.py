"""HTTP connections shared by the steps of an event loop, and requests that follow redirects."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from nexaflow_cli.actions.base import ActionError
from nexaflow_cli.actions.params import invalid

if TYPE_CHECKING:
    import httpx

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, httpx.AsyncClient]] = (
    WeakKeyDictionary()
)

# What a request may carry to another origin than the one its author wrote; any other header could
# be a key, whatever its name.
_HARMLESS = frozenset(
    (
        "accept",
        "accept-encoding",
        "accept-language",
        "connection",
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "user-agent",
    )
)

_SCHEMES = ("http", "https")


async def client(verify: bool) -> httpx.AsyncClient:
    """The client of the running loop that checks certificates, or does not."""
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    if verify not in clients:
        # Loading the library and the certificates takes a good part of a second; the loop goes on.
        made = await asyncio.to_thread(_make, verify)
        if verify in clients:
            await made.aclose()
        else:
            clients[verify] = made
    return clients[verify]


async def close() -> None:
    """Close the connections of the running loop; the next request opens new ones."""
    for each in _clients.pop(asyncio.get_running_loop(), {}).values():
        await each.aclose()


def _make(verify: bool) -> httpx.AsyncClient:
    from nexaflow_cli import __version__
    from nexaflow_cli.lean_httpx import httpx

    return httpx.AsyncClient(
        verify=verify,
        timeout=None,  # the action bounds the whole of each request
        limits=httpx.Limits(max_connections=256, max_keepalive_connections=32),
        # Steps of different workflows share this: nothing may pass from one to another.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"User-Agent": f"nexaflow/{__version__}", "Accept-Encoding": "gzip, deflate"},
    )


async def send(
    client: httpx.AsyncClient, request: httpx.Request, max_redirects: int
) -> httpx.Response:
    """Send a request and follow redirects; the body of the answer is yet to be read.

    Args:
        max_redirects: how many; 0 takes a redirect as the answer.

    Raises:
        ActionError: too many redirects, or one to something that is not HTTP.
        httpx.HTTPError: what the connection failed of.
    """
    followed = 0
    while True:
        response = await client.send(request, stream=True, follow_redirects=False)
        following = response.next_request
        if max_redirects == 0 or following is None:
            return response
        await response.aclose()
        if followed == max_redirects:
            raise ActionError(
                f"{place(request)} redirects more than {max_redirects} times",
                type="http",
                http_status=response.status_code,
                retryable=False,
            )
        followed += 1
        check_scheme(following.url)
        if not _same_origin(request.url, following.url):
            for name in list(following.headers):
                if name not in _HARMLESS:
                    del following.headers[name]
        request = following


def check_scheme(url: httpx.URL) -> None:
    """Refuse what is no HTTP address.

    Raises:
        ActionError: another scheme, or no host.
    """
    if url.scheme not in _SCHEMES:
        raise invalid(f"`url` must begin with http:// or https://, not {url.scheme or 'nothing'}:")
    if not url.host:
        raise invalid("`url` names no host")


def _same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    ports = {"http": 80, "https": 443}
    here = (one.scheme, one.host, one.port or ports.get(one.scheme))
    there = (other.scheme, other.host, other.port or ports.get(other.scheme))
    upgraded = here == ("http", other.host, 80) and there == ("https", other.host, 443)
    return here == there or upgraded


def place(request: httpx.Request) -> str:
    """A request in words, without what may be secret in its address."""
    url = request.url.copy_with(query=None, fragment=None, userinfo=b"")
    return f"{request.method} {url}"


def connection_failure(error: httpx.HTTPError, request: httpx.Request) -> ActionError:
    """The failure of a step that an error of the connection means."""
    import httpx

    where = (
        f"{request.url.host}:{request.url.port or (443 if request.url.scheme == 'https' else 80)}"
    )
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ActionError(
                f"{place(request)}: the TLS certificate of {where} is not valid: "
                f"{cause.verify_message}",
                type="tls",
                retryable=False,
            )
        if isinstance(cause, ssl.SSLError):
            reason = (cause.reason or str(cause)).replace("_", " ").lower()
            return ActionError(f"{place(request)}: TLS failed with {where}: {reason}", type="tls")
        if isinstance(cause, socket.gaierror):
            said = f"no address is known for the host {request.url.host} ({cause.strerror})"
            return ActionError(f"{place(request)}: {said}", type="connection")
        if isinstance(cause, ConnectionRefusedError):
            said = f"connection refused by {where}: nothing listens there"
            return ActionError(f"{place(request)}: {said}", type="connection")
    if isinstance(error, httpx.LocalProtocolError):
        # Its words could quote a header, and so a secret.
        return invalid(f"{place(request)}: a header holds characters that HTTP does not allow")
    if isinstance(error, httpx.DecodingError):
        said = "the answer is not encoded as its headers say"
        return ActionError(f"{place(request)}: {said}", type="http")
    said = next((str(cause) for cause in reversed(causes) if str(cause)), type(error).__name__)
    return ActionError(f"{place(request)}: connection to {where} failed: {said}", type="connection")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, with the members of groups."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        cause = todo.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        todo += [cause.__context__, cause.__cause__]
        if isinstance(cause, BaseExceptionGroup):
            todo += cause.exceptions
