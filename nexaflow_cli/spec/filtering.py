"""Filters and tests of expressions, turned into functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes

from nexaflow_cli.spec import list_filters, text_filters
from nexaflow_cli.spec.arguments import Build, Evaluate, arguments_of, unknown
from nexaflow_cli.spec.bounds import Budget
from nexaflow_cli.spec.lookup import UndefinedError
from nexaflow_cli.spec.predicates import PREDICATES
from nexaflow_cli.spec.template import ExpressionError

Function = Callable[..., Any]

FILTERS: dict[str, Function] = {**text_filters.FILTERS, **list_filters.FILTERS}
_PER_ITEM = ("map", "select", "reject", "selectattr", "rejectattr")
FILTER_NAMES = frozenset([*FILTERS, *_PER_ITEM, "default", "d"])
TEST_NAMES = frozenset([*PREDICATES, "defined", "undefined"])
_NO_VALUE: Any = object()


def build_filter(node: nodes.Filter, build: Build) -> Evaluate:
    assert node.node is not None
    if node.name in ("default", "d"):
        return build_default(node, build)
    if node.name in _PER_ITEM:
        return build_per_item(node, build)
    function = FILTERS.get(node.name)
    if function is None:
        unknown("filter", node.name, FILTER_NAMES, node.lineno)
    assert function is not None
    inner = build(node.node)
    arguments = arguments_of(node, build, function, f"filter `{node.name}`")
    if not node.args and not node.kwargs:
        return lambda scope, budget: function(budget, inner(scope, budget))

    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        args, kwargs = arguments(scope, budget)
        return function(budget, inner(scope, budget), *args, **kwargs)

    return run


def build_default(node: nodes.Filter, build: Build) -> Evaluate:
    assert node.node is not None
    inner = build(node.node)
    parts = [*node.args, *(pair.value for pair in node.kwargs)]
    names = {pair.key for pair in node.kwargs} - {"boolean", "default_value"}
    if names or len(parts) > 2 or not parts or node.dyn_args or node.dyn_kwargs:
        raise ExpressionError("`default` takes the value to use, and perhaps `true`", node.lineno)
    by_name = {str(pair.key): build(pair.value) for pair in node.kwargs}
    args = [build(arg) for arg in node.args]
    fallback = args[0] if args else by_name.get("default_value")
    empty_too = args[1] if len(args) > 1 else by_name.get("boolean")
    if fallback is None:
        raise ExpressionError("`default` needs the value to use", node.lineno)

    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        try:
            value = inner(scope, budget)
        except UndefinedError:
            return fallback(scope, budget)
        if not value and empty_too is not None and empty_too(scope, budget):
            return fallback(scope, budget)
        return value

    return run


def build_per_item(node: nodes.Filter, build: Build) -> Evaluate:
    assert node.node is not None
    inner = build(node.node)
    by_attribute = node.name.endswith("attr")
    rest = list(node.args)
    path = rest.pop(0) if by_attribute and rest else None
    attributes = {str(pair.key): pair.value for pair in node.kwargs}
    if node.name == "map" and "attribute" in attributes and not rest:
        if set(attributes) - {"attribute", "default"}:
            raise ExpressionError("`map` takes attribute= and default=", node.lineno)
        return _map_attribute(inner, attributes, build)
    if node.kwargs or (by_attribute and path is None) or (node.name == "map" and not rest):
        raise ExpressionError(f"`{node.name}` lacks its arguments", node.lineno)
    table = FILTERS if node.name == "map" else PREDICATES
    function: Callable[..., Any] | None = None
    if rest:
        named = rest.pop(0)
        if not isinstance(named, nodes.Const) or not isinstance(named.value, str):
            raise ExpressionError(f"`{node.name}` names a filter or test as text", named.lineno)
        function = table.get(named.value)
        if function is None:
            what = "filter" if node.name == "map" else "test"
            unknown(what, named.value, table, named.lineno + 1)
    values = [build(arg) for arg in rest]
    get_path = build(path) if path is not None else None
    name = node.name

    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        args = [value(scope, budget) for value in values]
        field = get_path(scope, budget) if get_path else None

        def apply(item: Any) -> Any:
            subject = list_filters.attribute(item, field) if get_path else item
            return function(budget, subject, *args) if function else subject

        source = inner(scope, budget)
        if name == "map":
            return list_filters.mapped(budget, source, apply)
        return list_filters.kept(budget, source, apply, name.startswith("select"))

    return run


def _map_attribute(inner: Evaluate, named: Mapping[str, nodes.Expr], build: Build) -> Evaluate:
    path = build(named["attribute"])
    fallback = build(named["default"]) if "default" in named else None

    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        field = path(scope, budget)
        default = fallback(scope, budget) if fallback else _NO_VALUE

        def apply(item: Any) -> Any:
            try:
                return list_filters.attribute(item, field)
            except ExpressionError:
                if default is _NO_VALUE:
                    raise
                return default

        return list_filters.mapped(budget, inner(scope, budget), apply)

    return run


def build_test(node: nodes.Test, build: Build) -> Evaluate:
    inner = build(node.node)
    if node.name in ("defined", "undefined"):
        wanted = node.name == "defined"

        def is_defined(scope: Mapping[str, Any], budget: Budget) -> bool:
            try:
                inner(scope, budget)
            except UndefinedError:
                return not wanted
            return wanted

        return is_defined
    function = PREDICATES.get(node.name)
    if function is None:
        unknown("test", node.name, TEST_NAMES, node.lineno)
    assert function is not None
    arguments = arguments_of(node, build, function, f"test `{node.name}`")

    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        args, kwargs = arguments(scope, budget)
        return function(budget, inner(scope, budget), *args, **kwargs)

    return run
