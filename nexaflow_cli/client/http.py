"""Requests to a daemon: pooled, bounded in time, repeated only where a repeat is safe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from nexaflow_cli import __version__
from nexaflow_cli.client.problems import error_from
from nexaflow_cli.config import Connection
from nexaflow_cli.errors import NexaflowError, UnreachableError, UsageError
from nexaflow_cli.lean_httpx import httpx

if TYPE_CHECKING:
    from tenacity import RetryCallState

API = "/api/v2/"
PAGE = 500
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
Body = bytes | Iterable[bytes]


class HttpClient:
    """One daemon, as its REST interface shows it. Safe to share between threads.

    Args:
        connection: where the daemon is, and the key to show.
        timeout: seconds for each of: connecting, sending, waiting for the next bytes.
        attempts: how often a repeatable request is tried in all.
    """

    def __init__(self, connection: Connection, *, timeout: float = 30.0, attempts: int = 4) -> None:
        parts = urlsplit(connection.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(
                f"{connection.url!r} is not the address of a daemon",
                hint="write it like http://127.0.0.1:8080",
            )
        self.connection = connection
        self._attempts = attempts
        headers = {"X-Nexaflow-Client": f"nexaflow-cli/{__version__}"}
        if connection.api_key:
            headers["Authorization"] = f"Bearer {connection.api_key}"
        self._http = httpx.Client(
            base_url=connection.url,
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            # Certificates are read from disk only for an address that needs them, and a proxy
            # has no business between two processes of one machine.
            verify=parts.scheme == "https",
            trust_env=parts.hostname not in _LOOPBACK,
        )

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: Body | None = None,
        repeatable: bool | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        """Send one request and return its answer, read whole.

        Args:
            method: the HTTP method.
            path: below `/api/v2/`, or from the root if it starts with a slash.
            params: the query; None values are left out.
            json: a body to send as JSON.
            content: a body to send as it is.
            repeatable: whether a second delivery is harmless; by default as HTTP says.
            timeout: seconds, in place of the client's own.

        Raises:
            UsageError: the path climbs with `.` or `..`.
            UnreachableError: nothing answers at the address, or not in time.
            NexaflowError: what the daemon's refusal stands for.
        """
        request = self._build(method, path, params, json, content, timeout)
        if repeatable is None:
            repeatable = method in _REPEATABLE
        repeatable = repeatable and (content is None or isinstance(content, bytes))
        try:
            return self._send(request)
        except _Failed as failed:
            if self._attempts < 2 or not (repeatable or failed.unsent):
                raise failed.error from failed.__cause__
            first = failed
        return self._again(request, first, repeatable)

    def get(self, path: str, /, **params: Any) -> Any:
        """The JSON answer to a GET."""
        return self.request("GET", path, params=params).json()

    def post(self, path: str, body: Any = None, *, repeatable: bool = False) -> Any:
        """The JSON answer to a POST; `repeatable` if the daemon knows a second delivery."""
        return self.request("POST", path, json=body or {}, repeatable=repeatable).json()

    def pages(self, path: str, /, *, limit: int | None = None, **params: Any) -> Iterator[Any]:
        """The items of a list endpoint, page after page, `limit` of them at most."""
        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            size = PAGE if left is None else min(left, PAGE)
            page = self.get(path, limit=size, cursor=cursor, **params)
            items = page["items"][:left]
            yield from items
            cursor = page.get("next")
            if cursor is None:
                return
            if left is not None:
                left -= len(items)

    @contextmanager
    def stream(self, method: str, path: str) -> Iterator[httpx.Response]:
        """An answer whose body is read piece by piece, for content of any size."""
        request = self._build(method, path, None, None, None, None)
        try:
            response = self._send(request, stream=True)
        except _Failed as failed:
            raise failed.error from failed.__cause__
        try:
            yield response
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        finally:
            response.close()

    def _build(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        json: Any,
        content: Body | None,
        timeout: float | None,
    ) -> httpx.Request:
        # Resolved on the way, such a path would name something else than what was meant.
        if not {".", ".."}.isdisjoint(path.split("/")):
            raise UsageError(
                f"{unquote(path.removeprefix('files'))!r} holds `.` or `..`",
                hint="write the path out, from the root",
            )
        given = {key: value for key, value in (params or {}).items() if value is not None}
        return self._http.build_request(
            method,
            path if path.startswith("/") else API + path,
            params=given or None,
            json=json,
            content=content,
            timeout=self._http.timeout if timeout is None else timeout,
        )

    def _send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        try:
            response = self._http.send(request, stream=stream)
            if response.status_code < 400:
                return response
            response.read()
        except httpx.TransportError as error:
            unsent = isinstance(
                error,
                (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout),
            )
            raise _Failed(self._unreachable(error), unsent=unsent) from error
        problem = error_from(
            response.status_code,
            response.headers.get("content-type", ""),
            response.content,
            str(request.url.copy_with(query=None)),
        )
        if response.status_code == 503:
            raise _Failed(problem, after=_seconds(response.headers.get("retry-after")))
        raise problem

    def _again(self, request: httpx.Request, first: _Failed, repeatable: bool) -> httpx.Response:
        # Imported here: a request that succeeds at once, as nearly all do, need not pay for it.
        import tenacity

        # The first repeat comes at once: a connection that went stale is the usual reason.
        backoff = tenacity.wait_exponential_jitter(multiplier=0.1, max=2.0, jitter=0.1)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.after if isinstance(error, _Failed) else None
            return backoff(state) if asked is None else min(asked, 5.0)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, _Failed) and (repeatable or error.unsent)
            ),
            stop=tenacity.stop_after_attempt(self._attempts - 1),
            wait=wait,
            reraise=True,
        )
        if first.after:
            tenacity.nap.sleep(min(first.after, 5.0))
        try:
            return retrying(self._send, request)
        except _Failed as failed:
            raise failed.error from failed.__cause__

    def _unreachable(self, error: Exception) -> UnreachableError:
        url = self.connection.url
        if isinstance(error, httpx.TimeoutException):
            return UnreachableError(
                f"the daemon at {url} did not answer in time", hint="nexaflow daemon status"
            )
        cause = str(error)
        if "refused" in cause.lower():
            cause = "connection refused"
        elif "[SSL" in cause:
            cause = "it does not speak TLS" if "WRONG_VERSION" in cause else cause
            return UnreachableError(
                f"no secure connection to {url} ({cause})",
                hint="check --url or NEXAFLOW_URL: http or https, and the name in the certificate",
            )
        return UnreachableError(
            f"no daemon answers at {url}" + (f" ({cause})" if cause else ""),
            hint="nexaflow daemon start" if _is_local(url) else "check --url or NEXAFLOW_URL",
        )


class _Failed(Exception):
    """A request that may be tried again: why, and whether it never left this machine."""

    def __init__(
        self, error: NexaflowError, *, unsent: bool = False, after: float | None = None
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.unsent = unsent
        self.after = after


def _is_local(url: str) -> bool:
    return (urlsplit(url).hostname or "") in _LOOPBACK


def _seconds(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None
