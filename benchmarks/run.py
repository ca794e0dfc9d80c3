"""The runner: picks benchmarks, runs them one after the other, prints one table, writes JSON."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import environment, report
from benchmarks.model import Context, Row
from benchmarks.registry import BENCHMARKS

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 1 if a benchmark failed (or, with --check, a target)."""
    options = _parse(argv)
    if options.list:
        for benchmark in BENCHMARKS:
            print(f"{benchmark.name:12} {benchmark.summary}")
        return 0
    chosen = [b for b in BENCHMARKS if not options.only or b.name in options.only]
    target = options.json or RESULTS / (
        "partial.json" if options.quick or options.only else "latest.json"
    )
    facts = environment.facts() | {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": options.quick,
    }
    peers = options.peers and _peers()
    results: dict[str, list[Row]] = {}
    failures: dict[str, str] = {}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begin = time.monotonic()
    with ExitStack() as stack:
        context = Context(options.quick, peers, _scratch(stack, options.dir), stack)
        for benchmark in chosen:
            print(f"{benchmark.name}: {benchmark.summary}", file=sys.stderr, flush=True)
            started = time.monotonic()
            try:
                results[benchmark.name] = benchmark.run(context)
            except Exception as error:
                traceback.print_exc()
                failures[benchmark.name] = str(error).strip().splitlines()[-1]
            context.say(f"{time.monotonic() - started:.1f} s")
    facts["seconds"] = round(time.monotonic() - begin, 1)
    report.show(results, failures)
    report.save(target, facts, results, failures)
    print(f"{facts['seconds']} s; every sample is in {target}", file=sys.stderr)
    missed = any(row.reached is False for rows in results.values() for row in rows)
    return 1 if failures or (options.check and missed) else 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [benchmark.name for benchmark in BENCHMARKS]
    parser.add_argument(
        "--only", action="append", choices=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--quick", action="store_true", help="short samples: under a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the JSON goes")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="leave peers out")
    parser.add_argument("--check", action="store_true", help="exit 1 if a target is missed")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and stop")
    parser.add_argument(
        "--dir", type=Path, default=HERE / ".scratch", help="the disk that is measured"
    )
    return parser.parse_args(argv)


def _peers() -> bool:
    try:
        environment.set_up_peers()
    except (OSError, RuntimeError) as error:
        print(f"  going on without peers: {error}", file=sys.stderr)
        return False
    return True


def _scratch(stack: ExitStack, parent: Path) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=parent))
    stack.callback(shutil.rmtree, path, ignore_errors=True)
    return path
