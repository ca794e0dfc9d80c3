"""Turns a parsed expression into a function; whatever is not listed here does not exist.

No Jinja code runs at evaluation: there is no template, no Python attribute, and no call but to
the filters, tests and methods of our own tables.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import nodes

from nexaflow_cli.spec import list_filters, methods, operators, text_filters
from nexaflow_cli.spec.bounds import ELEMENT, Budget, type_name
from nexaflow_cli.spec.lookup import UndefinedError, chain_of, item_of, lookup_chain
from nexaflow_cli.spec.nearest import did_you_mean
from nexaflow_cli.spec.predicates import PREDICATES
from nexaflow_cli.spec.template import ExpressionError

Evaluate = Callable[[Mapping[str, Any], Budget], Any]

Function = Callable[..., Any]

FILTERS: dict[str, Function] = {**text_filters.FILTERS, **list_filters.FILTERS}
_PER_ITEM = ("map", "select", "reject", "selectattr", "rejectattr")
FILTER_NAMES = frozenset([*FILTERS, *_PER_ITEM, "default", "d"])
TEST_NAMES = frozenset([*PREDICATES, "defined", "undefined"])
MAX_RANGE = 10_000
_NO_VALUE: Any = object()


def build(node: nodes.Expr) -> Evaluate:
    """The function that evaluates `node`.

    Raises:
        ExpressionError: the expression uses something that does not exist; offset in the source.
    """
    builder = _BUILDERS.get(type(node))
    if builder is None:
        raise ExpressionError("this cannot be used in an expression", node.lineno)
    return builder(node)


def _const(node: nodes.Const) -> Evaluate:
    value = node.value
    return lambda scope, budget: value


def _name(node: nodes.Name) -> Evaluate:
    if node.name == "null":
        return lambda scope, budget: None
    if node.name == "secrets":
        raise ExpressionError(
            "secrets are used one by one", node.lineno, length=7, hint="write secrets.NAME"
        )
    return lookup_chain(node.name, ())


def _attribute(node: nodes.Getattr | nodes.Getitem) -> Evaluate:
    if names := chain_of(node):
        return lookup_chain(names[0], names[1:])
    base = build(node.node)
    if isinstance(node, nodes.Getattr):
        name: Any = node.attr
        return lambda scope, budget: item_of(base(scope, budget), name)
    if isinstance(node.arg, nodes.Slice):
        return _slice(base, node.arg)
    key = build(node.arg)
    return lambda scope, budget: item_of(base(scope, budget), key(scope, budget))


def _slice(base: Evaluate, node: nodes.Slice) -> Evaluate:
    ends = (node.start, node.stop, node.step)
    bounds = [build(end) if end is not None else None for end in ends]

    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        value = base(scope, budget)
        if not isinstance(value, list | str):
            raise ExpressionError(f"{type_name(value)} has no parts to slice")
        start, stop, step = (part(scope, budget) if part else None for part in bounds)
        budget.spend(len(value) * (1 if isinstance(value, str) else ELEMENT))
        return value[start:stop:step]

    return run


def _binary(node: nodes.BinExpr) -> Evaluate:
    apply = operators.BINARY[type(node).__name__]
    left, right = build(node.left), build(node.right)
    return lambda scope, budget: apply(budget, left(scope, budget), right(scope, budget))


def _and(node: nodes.And) -> Evaluate:
    left, right = build(node.left), build(node.right)
    return lambda scope, budget: left(scope, budget) and right(scope, budget)


def _or(node: nodes.Or) -> Evaluate:
    left, right = build(node.left), build(node.right)
    return lambda scope, budget: left(scope, budget) or right(scope, budget)


def _not(node: nodes.Not) -> Evaluate:
    inner = build(node.node)
    return lambda scope, budget: not inner(scope, budget)


def _sign(node: nodes.UnaryExpr) -> Evaluate:
    inner = build(node.node)
    if isinstance(node, nodes.Neg):
        return lambda scope, budget: operators.negate(inner(scope, budget))
    return lambda scope, budget: operators.negate(operators.negate(inner(scope, budget)))


def _concat(node: nodes.Concat) -> Evaluate:
    parts = [build(part) for part in node.nodes]
    return lambda scope, budget: operators.concat(budget, [part(scope, budget) for part in parts])


def _compare(node: nodes.Compare) -> Evaluate:
    first = build(node.expr)
    rest = [(operators.COMPARE[operand.op], build(operand.expr)) for operand in node.ops]
    if len(rest) == 1:
        apply, second = rest[0]
        return lambda scope, budget: apply(budget, first(scope, budget), second(scope, budget))

    def run(scope: Mapping[str, Any], budget: Budget) -> bool:
        left = first(scope, budget)
        for apply, operand in rest:
            right = operand(scope, budget)
            if not apply(budget, left, right):
                return False
            left = right
        return True

    return run


def _condition(node: nodes.CondExpr) -> Evaluate:
    if node.expr2 is None:
        raise ExpressionError("`if` needs an `else` here", node.lineno)
    test, yes, no = build(node.test), build(node.expr1), build(node.expr2)
    return lambda scope, budget: yes(scope, budget) if test(scope, budget) else no(scope, budget)


def _list(node: nodes.List | nodes.Tuple) -> Evaluate:
    parts = [build(part) for part in node.items]

    def run(scope: Mapping[str, Any], budget: Budget) -> list[Any]:
        budget.spend(ELEMENT * len(parts))
        return [part(scope, budget) for part in parts]

    return run


def _dict(node: nodes.Dict) -> Evaluate:
    pairs = [(build(pair.key), build(pair.value)) for pair in node.items]

    def run(scope: Mapping[str, Any], budget: Budget) -> dict[str, Any]:
        budget.spend(2 * ELEMENT * len(pairs))
        result = {}
        for key_of, value_of in pairs:
            key = key_of(scope, budget)
            if not isinstance(key, str):
                raise ExpressionError("an object's keys are text")
            result[key] = value_of(scope, budget)
        return result

    return run


Arguments = Callable[[Mapping[str, Any], Budget], tuple[list[Any], dict[str, Any]]]


def _arguments(node: Any, function: Callable[..., Any] | None, shown: str) -> Arguments:
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


def _filter(node: nodes.Filter) -> Evaluate:
    assert node.node is not None
    if node.name in ("default", "d"):
        return _default(node)
    if node.name in _PER_ITEM:
        return _per_item(node)
    function = FILTERS.get(node.name)
    if function is None:
        _unknown("filter", node.name, FILTER_NAMES, node.lineno)
    assert function is not None
    inner = build(node.node)
    arguments = _arguments(node, function, f"filter `{node.name}`")
    if not node.args and not node.kwargs:
        return lambda scope, budget: function(budget, inner(scope, budget))

    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        args, kwargs = arguments(scope, budget)
        return function(budget, inner(scope, budget), *args, **kwargs)

    return run


def _unknown(what: str, name: str, known: Iterable[str], offset: int) -> None:
    raise ExpressionError(
        f"unknown {what} `{name}`", offset, length=len(name), hint=did_you_mean(name, known)
    )


def _default(node: nodes.Filter) -> Evaluate:
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


def _per_item(node: nodes.Filter) -> Evaluate:
    assert node.node is not None
    inner = build(node.node)
    by_attribute = node.name.endswith("attr")
    rest = list(node.args)
    path = rest.pop(0) if by_attribute and rest else None
    attributes = {str(pair.key): pair.value for pair in node.kwargs}
    if node.name == "map" and "attribute" in attributes and not rest:
        if set(attributes) - {"attribute", "default"}:
            raise ExpressionError("`map` takes attribute= and default=", node.lineno)
        return _map_attribute(inner, attributes)
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
            _unknown(what, named.value, table, named.lineno + 1)
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


def _map_attribute(inner: Evaluate, named: Mapping[str, nodes.Expr]) -> Evaluate:
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


def _test(node: nodes.Test) -> Evaluate:
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
        _unknown("test", node.name, TEST_NAMES, node.lineno)
    assert function is not None
    arguments = _arguments(node, function, f"test `{node.name}`")

    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        args, kwargs = arguments(scope, budget)
        return function(budget, inner(scope, budget), *args, **kwargs)

    return run


def _call(node: nodes.Call) -> Evaluate:
    if isinstance(node.node, nodes.Name):
        if node.node.name != "range":
            _unknown("function", node.node.name, ["range"], node.node.lineno)
        arguments = _arguments(node, None, "range")

        def run_range(scope: Mapping[str, Any], budget: Budget) -> list[int]:
            args, _ = arguments(scope, budget)
            numbers = range(*args)
            if not -1 < len(numbers) <= MAX_RANGE:
                raise ExpressionError(f"range() makes at most {MAX_RANGE} numbers")
            budget.spend(ELEMENT * len(numbers))
            return list(numbers)

        return run_range
    if not isinstance(node.node, nodes.Getattr):
        raise ExpressionError("only methods of text, lists and objects can be called", node.lineno)
    name = node.node.attr
    if name not in methods.NAMES:
        _unknown("method", name, methods.NAMES, node.node.lineno + 1)
    if node.kwargs:
        raise ExpressionError("methods take no named arguments", node.lineno)
    base = build(node.node.node)
    arguments = _arguments(node, None, name)

    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        value = base(scope, budget)
        args, _ = arguments(scope, budget)
        return methods.find(value, name)(budget, value, *args)

    return run


_BUILDERS: dict[type[nodes.Expr], Callable[[Any], Evaluate]] = {
    nodes.Const: _const,
    nodes.Name: _name,
    nodes.Getattr: _attribute,
    nodes.Getitem: _attribute,
    nodes.Add: _binary,
    nodes.Sub: _binary,
    nodes.Mul: _binary,
    nodes.Div: _binary,
    nodes.FloorDiv: _binary,
    nodes.Mod: _binary,
    nodes.Pow: _binary,
    nodes.And: _and,
    nodes.Or: _or,
    nodes.Not: _not,
    nodes.Neg: _sign,
    nodes.Pos: _sign,
    nodes.Concat: _concat,
    nodes.Compare: _compare,
    nodes.CondExpr: _condition,
    nodes.List: _list,
    nodes.Tuple: _list,
    nodes.Dict: _dict,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.Call: _call,
}
