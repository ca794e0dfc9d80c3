"""Real processes: those of a daemon end with it, whoever else is there does not."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nexaflow_cli.runtime import warden
from nexaflow_cli.runtime.warden import OWNER_VARIABLE, new_token, start_warden, sweep

OWNER = """
import os, subprocess, sys
from nexaflow_cli.runtime.warden import start_warden
token, *scripts = sys.argv[1:]
guard = start_warden(token)
print(guard.pid, flush=True)
env = {"PATH": os.environ["PATH"], "NEXAFLOW_OWNER": token}
for script in scripts:
    child = subprocess.Popen(["/bin/sh", "-c", script], env=env, process_group=0)
    guard.add(child.pid)
for line in sys.stdin:
    guard.close()
    break
"""


@contextmanager
def running(script: str, *, before: str = "", **env: str) -> Iterator[subprocess.Popen[str]]:
    """A shell in its own group that has done what comes before the script."""
    with subprocess.Popen(
        ["/bin/sh", "-c", f"{before}\necho ready\n{script}"],
        env={"PATH": os.environ["PATH"], **env},
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def daemon(token: str, *scripts: str) -> Iterator[tuple[subprocess.Popen[str], int, list[int]]]:
    """A process with a warden and children; each child's script prints the id to watch."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, token, *scripts],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        try:
            guard = int(owner.stdout.readline())
            yield owner, guard, [int(owner.stdout.readline()) for _ in scripts]
        finally:
            owner.kill()
            sweep(token, grace=0.1)


def ends(pid: int, seconds: float = 20) -> bool:
    """Whether the process ends within the time, by itself or because it was killed."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


CHILDREN = {
    "plain": "echo $$; exec sleep 1000",
    "own session": "setsid sh -c 'echo $$; exec sleep 1000'",
    "deaf to SIGTERM": "trap '' TERM; echo $$; while :; do sleep 1; done",
    "no environment": "echo $$; exec env -i sleep 1000",
    "no environment below a shell": "env -i /bin/sh -c 'echo $$; while :; do sleep 1; done'; true",
    "daemonised": "(setsid sh -c 'echo $$; exec sleep 1000' &) ; exit 0",
    "stopped": "echo $$; kill -STOP $$; sleep 1000",
}


def test_kill_9_of_the_daemon_takes_its_children_along() -> None:
    token = new_token()
    with (
        running("exec sleep 1000", **{OWNER_VARIABLE: new_token()}) as other,
        daemon(token, *CHILDREN.values()) as (owner, guard, pids),
    ):
        owner.kill()
        alive = [name for name, pid in zip(CHILDREN, pids, strict=True) if not ends(pid)]
        assert alive == []
        assert ends(guard)
        assert other.poll() is None


def test_a_graceful_stop_ends_the_warden_only() -> None:
    with daemon(new_token(), CHILDREN["plain"]) as (owner, guard, (child,)):
        assert owner.stdin is not None
        owner.stdin.write("stop\n")
        owner.stdin.flush()
        assert owner.wait() == 0
        assert ends(guard)
        assert not ends(child, 0)


def test_signals_of_the_terminal_do_not_reach_it() -> None:
    guard = start_warden(new_token())
    assert os.getsid(guard.pid) == guard.pid != os.getsid(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(guard.pid, number)
    assert guard.alive
    guard.close()
    guard.close()
    assert not guard.alive


def test_a_warden_that_was_killed_holds_nobody_up() -> None:
    guard = start_warden(new_token())
    os.kill(guard.pid, signal.SIGKILL)
    assert ends(guard.pid)
    guard.add(1)
    assert not guard.alive
    guard.close()


def test_a_warden_that_was_stopped_holds_nobody_up() -> None:
    guard = start_warden(new_token())
    os.kill(guard.pid, signal.SIGSTOP)
    for _ in range(20_000):  # more than a pipe holds
        guard.add(1)
        guard.discard(1)
    os.kill(guard.pid, signal.SIGKILL)
    guard.close()


def test_sweep_kills_carriers_of_the_token_and_counts_them() -> None:
    token = new_token()
    with (
        running("exec sleep 1000", **{OWNER_VARIABLE: token}) as one,
        running(
            "while :; do sleep 1; done", before="trap '' TERM", **{OWNER_VARIABLE: token}
        ) as two,
    ):
        assert sweep(new_token(), token, grace=0.1) >= 2
        assert one.wait() == -signal.SIGTERM
        assert two.wait() == -signal.SIGKILL
        assert sweep(token) == 0


@pytest.mark.parametrize(
    "env",
    [
        {},
        {OWNER_VARIABLE: "TOKENx"},
        {OWNER_VARIABLE: "xTOKEN"},
        {OWNER_VARIABLE: ""},
        {"OTHER": f"{OWNER_VARIABLE}=TOKEN"},
        {f"X{OWNER_VARIABLE}": "TOKEN"},
    ],
)
def test_sweep_spares_everybody_else(env: dict[str, str]) -> None:
    token = new_token()
    mine = {name: value.replace("TOKEN", token) for name, value in env.items()}
    with running("exec sleep 1000", **mine) as process:
        assert sweep(token, grace=0.1) == 0
        assert process.poll() is None


def test_sweep_of_nothing_is_nothing() -> None:
    with running("exec sleep 1000", **{OWNER_VARIABLE: ""}) as process:
        assert sweep() == 0
        assert sweep("") == 0
        assert process.poll() is None


def test_sweep_spares_the_caller() -> None:
    token = new_token()
    code = (
        "import sys; from nexaflow_cli.runtime.warden import sweep;"
        "print(sweep(sys.argv[1], grace=0.1))"
    )
    with running("exec sleep 1000", **{OWNER_VARIABLE: token}) as process:
        done = subprocess.run(
            [sys.executable, "-c", code, token],
            env={"PYTHONPATH": str(Path(__file__).parents[2]), OWNER_VARIABLE: token},
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout) == (0, "1\n")
        assert process.wait() == -signal.SIGTERM


def test_sweep_skips_what_only_waits_to_be_reaped() -> None:
    with running("exit 0") as process:
        assert ends(process.pid)
        assert sweep(groups=[process.pid], grace=5) == 0


def test_groups_are_enough_where_environments_cannot_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warden, "_sees_environments", lambda: False)
    with running("while :; do sleep 1; done", before="trap '' TERM") as process:
        assert sweep("token") == 0
        assert process.poll() is None
        assert sweep("token", groups=[process.pid], grace=0.1) == 1
        assert process.wait() == -signal.SIGKILL


def test_a_discarded_group_is_not_touched() -> None:
    token = new_token()
    with running("exec sleep 1000") as process:
        guard = start_warden(token)
        for group in (1234567, process.pid, 7654321):
            guard.add(group)
            guard.discard(group)
        assert guard._process.stdin is not None
        guard._process.stdin.close()  # as the kernel does for a daemon that dies
        assert ends(guard.pid)
        assert process.poll() is None
        guard._pipe = -1
        guard._process.wait()


def test_it_costs_next_to_nothing_while_it_waits() -> None:
    guard = start_warden(new_token())
    status = Path(f"/proc/{guard.pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    assert int(resident.split()[1]) < 4096  # KiB
    guard.close()
