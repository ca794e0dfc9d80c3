"""kill -9 right before and right after each commit: the end is that of an undisturbed run.

Nothing outside the process changes between two commits except what the first of them allowed, so
these are all the points at which a crash can differ from another.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from lives import KILLED, Aftermath, Forge

NOTE = 'echo "$NEXAFLOW_RUN_ID $NEXAFLOW_STEP $NEXAFLOW_ATTEMPT" >> "$EFFECTS"'

EVERYTHING = f"""
name: everything
inputs:
  effects: {{type: string}}
env: {{EFFECTS: "${{{{ inputs.effects }}}}"}}
retry: {{max_attempts: 3, backoff_seconds: 0.01, backoff_multiplier: 1}}
steps:
  - id: begin
    run: |
      {NOTE}
      echo '{{"size": 7, "people": ["ann", "bob", "cem"]}}'
    output: json
  - id: left
    needs: [begin]
    run: |
      {NOTE}
      echo "n=1" >> "$NEXAFLOW_OUTPUT"
  - id: right
    needs: [begin]
    run: |
      {NOTE}
      [ "$NEXAFLOW_ATTEMPT" -ge 3 ]
    retry: {{max_attempts: 4, backoff_seconds: 0.03, backoff_multiplier: 1}}
  - id: join
    needs: [left, right]
    action: set
    with: {{values: {{n: "${{{{ steps.left.values.n | int + 1 }}}}"}}}}
  - id: route
    switch:
      - if: ${{{{ steps.begin.output.size > 5 }}}}
        steps:
          - id: large
            run: |
              {NOTE}
      - else: true
        steps: [{{id: small, action: fail, with: {{message: wrong way}}}}]
  - id: greet
    for_each: ${{{{ steps.begin.output.people }}}}
    as: person
    max_parallel: 2
    run: |
      {NOTE}
      echo "hello $WHO"
    env: {{WHO: "${{{{ person }}}}"}}
    output: text
  - id: never
    if: ${{{{ steps.join.output.n != 2 }}}}
    action: fail
    with: {{message: skipped}}
  - id: rest
    action: wait
    with: {{duration: 50ms}}
  - id: shaky
    continue_on_error: true
    retry: {{max_attempts: 1}}
    run: |
      {NOTE}
      exit 3
  - id: last
    retry: {{max_attempts: 1}}
    run: |
      {NOTE}
      echo "$GREETED" && exit 9
    env: {{GREETED: "${{{{ steps.greet.output }}}}"}}
on_failure:
  - id: alert
    run: |
      {NOTE}
      echo "$WHY"
    env: {{WHY: "${{{{ run.error.message }}}}"}}
    output: text
finally:
  - id: clean
    run: |
      {NOTE}
"""

ONCE = f"""
name: once
inputs:
  effects: {{type: string}}
env: {{EFFECTS: "${{{{ inputs.effects }}}}"}}
steps:
  - id: pay
    on_interrupt: fail
    run: |
      {NOTE}
      echo paid
    output: text
  - id: ship
    on_interrupt: fail
    for_each: [1, 2]
    run: |
      {NOTE}
output: ${{{{ steps.pay.output }}}}
finally:
  - id: tell
    on_interrupt: fail
    run: |
      {NOTE}
"""


class Lives:
    """Runs one workflow from its start to its end, through as many lives as it takes."""

    def __init__(self, forge: Forge, root: Path, source: str) -> None:
        self.forge = forge
        self.root = root
        self.name = source.split()[1]
        self._blank = root / "blank"
        status = forge.run(data_dir=self._blank, apply=[("w.yaml", source)])
        assert status == 0

    def live(self, name: str, **fate: Any) -> tuple[bool, dict[str, Any], Aftermath]:
        """Whether the killing came to pass, the run as it ended, and what was left."""
        data_dir, effects, result = (self.root / f"{name}.{x}" for x in ("data", "log", "json"))
        shutil.copytree(self._blank, data_dir)
        request = {"workflow": self.name, "key": "one", "inputs": {"effects": str(effects)}}
        job = {"data_dir": data_dir, "runs": [request], "result": result, "park_after": 0.02}
        status = self.forge.run(**job, **fate)
        assert status in {0, KILLED}
        if status == KILLED:
            assert self.forge.run(**job) == 0
        after = Aftermath(data_dir, effects)
        after.check()
        assert len(after.runs) == 1
        (run,) = json.loads(result.read_text())
        return status == KILLED, run, after


def _meaning(run: dict[str, Any]) -> Any:
    """What must not depend on a crash: not times, and not how many attempts were interrupted."""
    steps = [
        (s["key"], s["status"], s["values"], s["error"], s["reason"], s.get("phase"))
        # What a wait gives is the time at which it went on.
        + (() if s["action"] == "wait" else (s["output"],))
        for s in run["steps"]
    ]
    return run["status"], run["output"], run["error"], steps


def _through_all_kills(lives: Lives, when: str) -> Any:
    """(N, run, aftermath) for a kill at commit N = 1, 2, … until the run ends before its kill."""
    for kill_at in range(1, 200):
        killed, run, after = lives.live(f"{when}-{kill_at}", kill_at=kill_at, when=when)
        if not killed:
            assert kill_at > 5, "there were hardly any commits to die at"
            return
        yield kill_at, run, after
    pytest.fail("the run never came to its end")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_any_commit_leads_to_the_same_end(
    forge: Forge, tmp_path: Path, when: str
) -> None:
    lives = Lives(forge, tmp_path, EVERYTHING)
    _, undisturbed, after = lives.live("undisturbed")
    assert undisturbed["status"] == "failed"
    assert undisturbed["error"]["step"] == "last"
    assert {step for _, step, _ in after.effect_lines()} == {
        "begin", "left", "right", "large", "greet[0]", "greet[1]", "greet[2]",
        "shaky", "last", "alert", "clean",
    }  # fmt: skip
    for kill_at, run, _ in _through_all_kills(lives, when):
        assert _meaning(run) == _meaning(undisturbed), f"killed {when} commit {kill_at}"


@pytest.mark.parametrize("when", ["before", "after"])
def test_at_most_once_steps_are_never_repeated(forge: Forge, tmp_path: Path, when: str) -> None:
    lives = Lives(forge, tmp_path, ONCE)
    ends = set()
    for kill_at, run, after in _through_all_kills(lives, when):
        steps = [step for _, step, _ in after.effect_lines()]
        assert len(steps) == len(set(steps)), f"repeated when killed {when} commit {kill_at}"
        ends.add(run["status"])
        if run["status"] == "failed":
            assert run["error"]["type"] in {"interrupted", "items"}
            assert "on_interrupt" in json.dumps(run["steps"])
        else:
            assert run["output"] == "paid"
    # Killed while the outcome of an attempt was unknown, and killed while it was known.
    assert ends == {"success", "failed"}
