"""Arguments of filters, tests and methods, and what to say of a name that does not exist."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from jinja2 import nodes

from nexaflow_cli.spec.bounds import Budget
from nexaflow_cli.spec.nearest import did_you_mean
from nexaflow_cli.spec.template import ExpressionError

Evaluate = Callable[[Mapping[str, Any], Budget], Any]
Build = Callable[[nodes.Expr], Evaluate]
Arguments = Callable[[Mapping[str, Any], Budget], tuple[list[Any], dict[str, Any]]]


def arguments_of(
    node: Any, build: Build, function: Callable[..., Any] | None, shown: str
) -> Arguments:
    """Evaluates the arguments of a call; their number and names are checked now."""
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise ExpressionError("`*` and `**` arguments do not exist here", node.lineno)
    args = [build(arg) for arg in node.args]
    kwargs = {pair.key: build(pair.value) for pair in node.kwargs}
    if function is not None:
        try:
            inspect.signature(function).bind(None, None, *args, **kwargs)
        except TypeError as error:
            raise ExpressionError(f"{shown}: {error}", node.lineno) from None

    def run(scope: Mapping[str, Any], budget: Budget) -> tuple[list[Any], dict[str, Any]]:
        return (
            [arg(scope, budget) for arg in args],
            {key: value(scope, budget) for key, value in kwargs.items()},
        )

    return run


def unknown(what: str, name: str, known: Iterable[str], offset: int) -> NoReturn:
    """Raise the error for a name that is in no table."""
    raise ExpressionError(
        f"unknown {what} `{name}`", offset, length=len(name), hint=did_you_mean(name, known)
    )
