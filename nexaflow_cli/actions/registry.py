"""The actions that come with NexaFlow: one module each, one line each."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from nexaflow_cli.actions import (
    fail,
    file_append,
    file_copy,
    file_delete,
    file_list,
    file_move,
    file_read,
    file_write,
    http_request,
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
        http_request.ACTION,
        file_read.ACTION,
        file_write.ACTION,
        file_append.ACTION,
        file_copy.ACTION,
        file_move.ACTION,
        file_delete.ACTION,
        file_list.ACTION,
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


async def close() -> None:
    """Release what actions keep between steps on the running loop, such as connections."""
    http_client = sys.modules.get("nexaflow_cli.actions.http_client")
    if http_client is not None:  # it was used
        await http_client.close()
