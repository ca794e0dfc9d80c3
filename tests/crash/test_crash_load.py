"""kill -9 under load: acknowledged runs end, nothing committed runs twice, no child is left."""

from __future__ import annotations

import json
import os
import random
import signal
from pathlib import Path

import pytest
from lives import KILLED, Aftermath, Forge, children_of, wait_for_end

LOAD = """
name: load
inputs:
  effects: {type: string}
  first: {type: string}
  second: {type: string}
env: {EFFECTS: "${{ inputs.effects }}"}
steps:
  - id: one
    run: |
      echo "$NEXAFLOW_RUN_ID $NEXAFLOW_STEP $NEXAFLOW_ATTEMPT" >> "$EFFECTS"
      sleep "$FOR"
      echo one
    env: {FOR: "${{ inputs.first }}"}
    output: text
  - id: two
    run: |
      echo "$NEXAFLOW_RUN_ID $NEXAFLOW_STEP $NEXAFLOW_ATTEMPT" >> "$EFFECTS"
      sleep "$FOR"
      echo "$BEFORE two"
    env: {FOR: "${{ inputs.second }}", BEFORE: "${{ steps.one.output }}"}
    output: text
output: ${{ steps.two.output }}
"""


def _disturb(forge: Forge, tmp_path: Path, *, runs: int, kills: int, seed: int) -> None:
    print("seed", seed)
    chance = random.Random(seed)
    data_dir, effects = tmp_path / "data", tmp_path / "effects"
    acks, result = tmp_path / "acks", tmp_path / "result"
    requests = [
        {
            "workflow": "load",
            "key": f"key-{number}",
            "inputs": {
                "effects": str(effects),
                "first": f"{chance.uniform(0, 1.2):.3f}",
                "second": f"{chance.uniform(0, 1.2):.3f}",
            },
        }
        for number in range(runs)
    ]
    job = {
        "data_dir": data_dir,
        "apply": [("load.yaml", LOAD)],
        "runs": requests,
        "acks": acks,
        "result": result,
    }
    killed = 0
    for _ in range(kills):
        pid = forge.begin(**job)
        if wait_for_end([pid], chance.uniform(0.1, 0.9)):
            os.kill(pid, signal.SIGKILL)
        status = forge.end()
        assert status in {0, KILLED}
        killed += status == KILLED
        # What it had started ends without it, before any successor cleans up.
        assert not wait_for_end(children_of(data_dir), 10)
    assert killed >= kills // 2, "the load was over before the kills"

    assert forge.run(**job) == 0
    after = Aftermath(data_dir, effects)
    after.check()
    assert {status for *_, status in after.runs} == {"success"}
    assert len(after.runs) == runs, "the same key made two runs, or none"
    ids = {key: run for run, key, _ in after.runs}
    acknowledged = [line.split() for line in acks.read_text().splitlines()]
    assert all(ids[key] == run for key, run in acknowledged), "an acknowledged run is gone"
    assert [run["output"] for run in json.loads(result.read_text())] == ["one two"] * runs
    assert not children_of(data_dir)


def test_200_concurrent_runs_survive_kill_9(forge: Forge, tmp_path: Path) -> None:
    _disturb(forge, tmp_path, runs=200, kills=4, seed=random.randrange(10**6))


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(20))
def test_500_concurrent_runs_survive_many_kills(forge: Forge, tmp_path: Path, seed: int) -> None:
    _disturb(forge, tmp_path, runs=500, kills=9, seed=seed)
