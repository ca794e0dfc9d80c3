"""The actions that come with NexaFlow: one module each, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nexaflow_cli.actions import (
    fail,
    log,
    set_values,
    shell,
    wait,
)
from nexaflow_cli.actions.base import Action

BUILTIN: dict[str, Action] = {
    action.name: action
    for action in (
        shell.ACTION,
        set_values.ACTION,
        log.ACTION,
        fail.ACTION,
        wait.ACTION,
    )
}
"""Name to action, in the order that lists show them."""


def signatures() -> dict[str, Mapping[str, Any]]:
    """The JSON Schema of `with` for each action by name, as checking a workflow needs it."""
    return {name: action.schema for name, action in BUILTIN.items()}
