"""Names of an expression found in its scope: keys of objects, elements of lists, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes

from nexaflow_cli.spec.bounds import Budget, type_name
from nexaflow_cli.spec.nearest import did_you_mean
from nexaflow_cli.spec.template import ExpressionError


class UndefinedError(ExpressionError):
    """A name that the scope does not hold.

    Args:
        name: what was looked for, with what leads to it: `steps.extract.outptu`.
    """

    def __init__(self, message: str, name: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.name = name


def chain_of(node: nodes.Node) -> tuple[str, ...]:
    """The names of `a.b['c']`, empty if the node is anything else."""
    return tuple(name for name, _ in chain(node))


def chain(node: nodes.Node) -> list[tuple[str, int]]:
    """The names of `a.b['c']` with their offsets, empty if the node is anything else."""
    names: list[tuple[str, int]] = []
    while not isinstance(node, nodes.Name):
        if isinstance(node, nodes.Getattr):
            names.append((node.attr, node.lineno + 1))
        elif (
            isinstance(node, nodes.Getitem)
            and isinstance(node.arg, nodes.Const)
            and isinstance(node.arg.value, str)
        ):
            names.append((node.arg.value, node.arg.lineno + 1))
        else:
            return []
        node = node.node
    if node.name == "null":
        return []
    names.append((node.name, node.lineno))
    names.reverse()
    return names


def lookup_chain(root: str, keys: tuple[str, ...]) -> Callable[[Mapping[str, Any], Budget], Any]:
    """A function that finds `root.key.key…` in a scope."""

    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        # Text and lists answer a text key with TypeError, as numbers do, so this is as strict
        # as checking each type, and several times as fast.
        try:
            value = scope[root]
            for key in keys:
                value = value[key]
        except (KeyError, TypeError):
            return _explain(scope, (root, *keys))
        return value

    return run


def _explain(scope: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    value: Any = scope
    for index, name in enumerate(names):
        try:
            value = item_of(value, name)
        except UndefinedError as error:
            shown = ".".join(names[: index + 1])
            if index == 0:
                raise UndefinedError(f"`{name}` is not defined", name, hint=error.hint) from None
            raise UndefinedError(
                f"`{shown}` is not defined: {error.message}", shown, hint=error.hint
            ) from None
    return value


def item_of(value: Any, key: Any) -> Any:
    """The field of an object or the element of a list or text.

    Raises:
        UndefinedError: there is none; an object with `why_empty` gives the reason.
    """
    if isinstance(value, Mapping):
        if isinstance(key, str):
            try:
                return value[key]
            except KeyError:
                pass
        shown = str(key)[:64]
        hint = did_you_mean(shown, (name for name, _ in zip(value, range(200), strict=False)))
        why = getattr(value, "why_empty", None) or f"there is no `{shown}`"
        raise UndefinedError(why, shown, hint=hint)
    if isinstance(value, list | str) and isinstance(key, int) and not isinstance(key, bool):
        try:
            return value[key]
        except IndexError:
            raise UndefinedError(
                f"there is no element {key}; there are {len(value)}", str(key)
            ) from None
    shown = str(key)[:64]
    raise UndefinedError(f"{type_name(value)} has no `{shown}`", shown)
