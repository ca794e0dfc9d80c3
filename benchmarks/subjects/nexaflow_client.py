"""Clients of a running daemon: they ask for runs over HTTP; `… nexaflow_client PORT API_KEY`.

Eight threads post runs on connections they keep. A post is answered when the run is durable; the
ends are counted by the daemon, and the clock stops when none is under way.
"""

from __future__ import annotations

import sys
import threading
import time

from benchmarks.loops import drive_threads, rate
from benchmarks.serving import serve
from benchmarks.subjects.nexaflow import Api

CLIENTS = 8


def main() -> None:
    port, api_key = int(sys.argv[1]), sys.argv[2]
    local = threading.local()

    def api() -> Api:
        if not hasattr(local, "api"):
            local.api = Api(port, api_key)
        own: Api = local.api
        return own

    def throughput(seconds: float, workflow: str, clients: int = CLIENTS) -> dict[str, float]:
        before = api().wait_until_idle(workflow)["success"]
        begin = time.perf_counter()
        drive_threads(lambda: api().call("POST", "runs", {"workflow": workflow}), clients, seconds)
        ended = api().wait_until_idle(workflow)["success"] - before
        return rate(ended, time.perf_counter() - begin)

    serve({"throughput": throughput})


if __name__ == "__main__":
    main()
