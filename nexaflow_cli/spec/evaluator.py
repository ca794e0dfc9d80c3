"""Turns a parsed expression into a function; whatever is not listed here does not exist.

No Jinja code runs at evaluation: there is no template, no Python attribute, and no call but to
the filters, tests and methods of our own tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import nodes

from nexaflow_cli.spec import filtering, forms
from nexaflow_cli.spec.arguments import Build, Evaluate
from nexaflow_cli.spec.template import ExpressionError


def build(node: nodes.Expr) -> Evaluate:
    """The function that evaluates `node`.

    Raises:
        ExpressionError: the expression uses something that does not exist; offset in the source.
    """
    form = _FORMS.get(type(node))
    if form is None:
        raise ExpressionError("this cannot be used in an expression", node.lineno)
    return form(node, build)


_FORMS: dict[type[nodes.Expr], Callable[[Any, Build], Evaluate]] = {
    nodes.Const: forms.build_const,
    nodes.Name: forms.build_name,
    nodes.Getattr: forms.build_attribute,
    nodes.Getitem: forms.build_attribute,
    nodes.Add: forms.build_binary,
    nodes.Sub: forms.build_binary,
    nodes.Mul: forms.build_binary,
    nodes.Div: forms.build_binary,
    nodes.FloorDiv: forms.build_binary,
    nodes.Mod: forms.build_binary,
    nodes.Pow: forms.build_binary,
    nodes.And: forms.build_and,
    nodes.Or: forms.build_or,
    nodes.Not: forms.build_not,
    nodes.Neg: forms.build_sign,
    nodes.Pos: forms.build_sign,
    nodes.Concat: forms.build_concat,
    nodes.Compare: forms.build_compare,
    nodes.CondExpr: forms.build_condition,
    nodes.List: forms.build_list,
    nodes.Tuple: forms.build_list,
    nodes.Dict: forms.build_dict,
    nodes.Filter: filtering.build_filter,
    nodes.Test: filtering.build_test,
    nodes.Call: forms.build_call,
}
