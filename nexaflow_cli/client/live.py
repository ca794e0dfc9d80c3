"""The daemon's live stream, read across interruptions."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from nexaflow_cli import __version__
from nexaflow_cli.client.problems import ForeignError, error_from
from nexaflow_cli.config import Connection
from nexaflow_cli.errors import NexaflowError, UnauthenticatedError, UnreachableError

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

Frame = dict[str, Any]
# Seconds without a frame after which the past is taken to be told.
_MOMENT = 0.1
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class LiveStream:
    """Frames of a run as they happen, each once, in order.

    A broken connection is opened again from the last frame seen, so that a restart of the daemon
    is a pause and not a gap.

    Args:
        connection: the daemon and the key.
        run: id of the run to watch; its stream ends with the run.
        after: the last `seq` already seen; None replays the run from its start.
        logs: also what the steps print.
        patience: seconds of silence from the daemon, after a break, until the stream gives up.
        on_break: told when the connection is lost, with the reason.
        missed: gives the log lines after a number, for those said while there was no connection.
        again: the daemon and the key to go on with after a break; a daemon that was started again
            has left a new key for its own user.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        run: str | None = None,
        after: int | None = None,
        logs: bool = True,
        patience: float = 60.0,
        on_break: Callable[[str], None] | None = None,
        missed: Callable[[int], Iterable[Frame]] | None = None,
        again: Callable[[], Connection] | None = None,
    ) -> None:
        self._connection = connection
        self._run = run
        self._logs = logs
        self._after = after
        self._said = 0
        self._patience = patience
        self._on_break = on_break
        self._missed = missed
        self._again = again

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames until the watched run has ended.

        Raises:
            UnreachableError: the daemon did not come back in time.
            NexaflowError: what the daemon's refusal stands for.
        """
        with ExitStack() as stack:
            socket = self._open(stack)
            while True:
                order = InOrder()
                try:
                    for received in self._received(socket):
                        for frame in order.take(received):
                            yield frame
                            if frame["type"] == "end":
                                return
                except _Broken as broken:
                    reason = str(broken)
                yield from order.take(None)
                stack.close()
                if self._on_break is not None:
                    self._on_break(reason)
                socket = self._reopen(stack)
                if self._missed is not None and self._logs:
                    yield from filter(self._is_new, self._missed(self._said))

    def _received(self, socket: ClientConnection) -> Iterator[Frame | None]:
        """Frames as they come, None after each moment without one."""
        import json

        from websockets.exceptions import ConnectionClosed

        while True:
            try:
                frame = json.loads(socket.recv(timeout=_MOMENT))
            except TimeoutError:
                yield None
                continue
            except ConnectionClosed as closed:
                raise _Broken(str(closed)) from closed
            if isinstance(frame, dict) and "type" in frame and self._is_new(frame):
                yield frame

    def _is_new(self, frame: Frame) -> bool:
        """Whether the frame was not seen before the connection broke; it counts as seen now."""
        if frame["type"] == "fact":
            seq = int(frame["seq"])
            if self._after is not None and seq <= self._after:
                return False
            self._after = seq
        elif frame["type"] == "log" and self._run is not None:
            number = int(frame["n"])
            if number <= self._said:
                return False
            self._said = number
        return True

    def _url(self) -> str:
        parts = urlsplit(self._connection.url)
        query: dict[str, Any] = {"logs": 1 if self._logs else 0}
        if self._run is not None:
            query["run"] = self._run
        if self._after is not None:
            query["after"] = self._after
        scheme = "wss" if parts.scheme == "https" else "ws"
        return urlunsplit((scheme, parts.netloc, "/api/v2/live", urlencode(query), ""))

    def _open(self, stack: ExitStack) -> ClientConnection:
        from websockets.exceptions import InvalidHandshake, InvalidStatus
        from websockets.sync.client import connect

        headers = {"X-Nexaflow-Client": f"nexaflow-cli/{__version__}"}
        if self._connection.api_key:
            headers["Authorization"] = f"Bearer {self._connection.api_key}"
        local = (urlsplit(self._connection.url).hostname or "") in _LOOPBACK
        try:
            return stack.enter_context(
                connect(
                    self._url(),
                    additional_headers=headers,
                    open_timeout=10,
                    close_timeout=2,
                    max_size=16 * 1024 * 1024,
                    proxy=None if local else True,
                    user_agent_header=None,
                )
            )
        except InvalidStatus as error:
            answer = error.response
            kind = answer.headers.get("Content-Type", "")
            raise error_from(
                answer.status_code, kind, bytes(answer.body or b""), self._connection.url
            ) from error
        except (OSError, InvalidHandshake, TimeoutError) as error:
            raise UnreachableError(
                f"no live stream from the daemon at {self._connection.url} ({error})",
                hint="nexaflow daemon status",
            ) from error

    def _reopen(self, stack: ExitStack) -> ClientConnection:
        import tenacity

        def attempt() -> ClientConnection:
            if self._again is not None:
                self._connection = self._again()
            return self._open(stack)

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._may_pass),
            stop=tenacity.stop_after_delay(self._patience),
            wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=3.0, jitter=0.1),
            reraise=True,
        )(attempt)

    def _may_pass(self, error: BaseException) -> bool:
        """Whether a refusal may be of a daemon that is just coming back."""
        if isinstance(error, UnauthenticatedError):
            return self._again is not None
        if isinstance(error, ForeignError):
            return False
        return isinstance(error, UnreachableError) or (
            isinstance(error, NexaflowError) and error.status in {502, 503, 504}
        )


class _Broken(Exception):
    """The connection was lost."""


class InOrder:
    """Puts frames of the past into the order of their times.

    A daemon tells the past of a run as all of its log lines and then all of its facts. The lines
    are held back, each until a fact that is later, a line that is new, or a moment of silence.
    """

    def __init__(self) -> None:
        self._held: deque[Frame] = deque()
        self._past = True

    def take(self, frame: Frame | None) -> Iterator[Frame]:
        """Give what can be told now that this frame has come; None stands for silence."""
        if frame is not None and frame["type"] == "log" and self._past:
            self._held.append(frame)
            return
        self._past = False
        until = moment_of(frame) if frame is not None and frame["type"] == "fact" else None
        while self._held and (until is None or moment_of(self._held[0]) <= until):
            yield self._held.popleft()
        if frame is not None:
            yield frame

    def then(self, tell: Callable[[Frame], None]) -> Callable[[Frame], None]:
        """A function that takes frames as they come and tells them in order."""

        def feed(frame: Frame) -> None:
            for each in self.take(frame):
                tell(each)

        return feed


def moment_of(frame: Frame) -> float:
    """When what the frame tells happened, in seconds since the epoch."""
    at = frame.get("at")
    if isinstance(at, int | float):
        return float(at)
    try:
        return datetime.fromisoformat(str(at)).timestamp()
    except ValueError:
        return 0.0
