"""The forms of expressions, each turned into a function: constants, names, operators, calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import nodes

from nexaflow_cli.spec import methods, operators
from nexaflow_cli.spec.arguments import Build, Evaluate, arguments_of, unknown
from nexaflow_cli.spec.bounds import ELEMENT, Budget, type_name
from nexaflow_cli.spec.lookup import chain_of, item_of, lookup_chain
from nexaflow_cli.spec.template import ExpressionError

MAX_RANGE = 10_000


def build_const(node: nodes.Const, build: Build) -> Evaluate:
    value = node.value
    return lambda scope, budget: value


def build_name(node: nodes.Name, build: Build) -> Evaluate:
    if node.name == "null":
        return lambda scope, budget: None
    if node.name == "secrets":
        raise ExpressionError(
            "secrets are used one by one", node.lineno, length=7, hint="write secrets.NAME"
        )
    return lookup_chain(node.name, ())


def build_attribute(node: nodes.Getattr | nodes.Getitem, build: Build) -> Evaluate:
    if names := chain_of(node):
        return lookup_chain(names[0], names[1:])
    base = build(node.node)
    if isinstance(node, nodes.Getattr):
        name: Any = node.attr
        return lambda scope, budget: item_of(base(scope, budget), name)
    if isinstance(node.arg, nodes.Slice):
        return _slice(base, node.arg, build)
    key = build(node.arg)
    return lambda scope, budget: item_of(base(scope, budget), key(scope, budget))


def _slice(base: Evaluate, node: nodes.Slice, build: Build) -> Evaluate:
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


def build_binary(node: nodes.BinExpr, build: Build) -> Evaluate:
    apply = operators.BINARY[type(node).__name__]
    left, right = build(node.left), build(node.right)
    return lambda scope, budget: apply(budget, left(scope, budget), right(scope, budget))


def build_and(node: nodes.And, build: Build) -> Evaluate:
    left, right = build(node.left), build(node.right)
    return lambda scope, budget: left(scope, budget) and right(scope, budget)


def build_or(node: nodes.Or, build: Build) -> Evaluate:
    left, right = build(node.left), build(node.right)
    return lambda scope, budget: left(scope, budget) or right(scope, budget)


def build_not(node: nodes.Not, build: Build) -> Evaluate:
    inner = build(node.node)
    return lambda scope, budget: not inner(scope, budget)


def build_sign(node: nodes.UnaryExpr, build: Build) -> Evaluate:
    inner = build(node.node)
    if isinstance(node, nodes.Neg):
        return lambda scope, budget: operators.negate(inner(scope, budget))
    return lambda scope, budget: operators.negate(operators.negate(inner(scope, budget)))


def build_concat(node: nodes.Concat, build: Build) -> Evaluate:
    parts = [build(part) for part in node.nodes]
    return lambda scope, budget: operators.concat(budget, [part(scope, budget) for part in parts])


def build_compare(node: nodes.Compare, build: Build) -> Evaluate:
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


def build_condition(node: nodes.CondExpr, build: Build) -> Evaluate:
    if node.expr2 is None:
        raise ExpressionError("`if` needs an `else` here", node.lineno)
    test, yes, no = build(node.test), build(node.expr1), build(node.expr2)
    return lambda scope, budget: yes(scope, budget) if test(scope, budget) else no(scope, budget)


def build_list(node: nodes.List | nodes.Tuple, build: Build) -> Evaluate:
    parts = [build(part) for part in node.items]

    def run(scope: Mapping[str, Any], budget: Budget) -> list[Any]:
        budget.spend(ELEMENT * len(parts))
        return [part(scope, budget) for part in parts]

    return run


def build_dict(node: nodes.Dict, build: Build) -> Evaluate:
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


def build_call(node: nodes.Call, build: Build) -> Evaluate:
    if isinstance(node.node, nodes.Name):
        if node.node.name != "range":
            unknown("function", node.node.name, ["range"], node.node.lineno)
        arguments = arguments_of(node, build, None, "range")

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
        unknown("method", name, methods.NAMES, node.node.lineno + 1)
    if node.kwargs:
        raise ExpressionError("methods take no named arguments", node.lineno)
    base = build(node.node.node)
    arguments = arguments_of(node, build, None, name)

    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        value = base(scope, budget)
        args, _ = arguments(scope, budget)
        return methods.find(value, name)(budget, value, *args)

    return run
