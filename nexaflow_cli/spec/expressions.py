"""Expressions: `${{ … }}` in values, conditions, and what names they mention.

Jinja2 gives the grammar, this package everything that runs. Compiling is cached by text.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nexaflow_cli.spec.bounds import RESULT_LIMIT, Budget, checked_int, to_data, to_text
from nexaflow_cli.spec.template import (
    MAX_EXPRESSION,
    ExpressionError,
    Part,
    has_expression,
    split,
)

__all__ = [
    "Condition",
    "ExpressionError",
    "Reference",
    "Value",
    "compile_condition",
    "compile_value",
    "inspect_text",
    "references",
]

Scope = Mapping[str, Any]
_Render = Callable[[Scope, Budget], Any]
_SCALARS = frozenset((bool, type(None)))


@dataclass(frozen=True, slots=True)
class Reference:
    """A chain of names in an expression: `steps.extract.output`.

    Args:
        names: the names from the root on.
        offset: of the root in its text, in characters.
        offsets: of each name in its text.
        path: keys and indexes that lead to the text inside the value.
    """

    names: tuple[str, ...]
    offset: int
    offsets: tuple[int, ...]
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """JSON-like data whose expressions are compiled.

    Args:
        static: True if there is no expression in it, so that every scope gives the same.
    """

    static: bool
    _render: _Render

    def render(self, scope: Scope, *, limit: int = RESULT_LIMIT) -> Any:
        """The data with each expression replaced by its value in `scope`.

        A text that is one whole expression takes the value's own type; in other texts, values
        that are not text are written as JSON.

        Args:
            scope: names to values: JSON data, or mappings that look up as they are asked.
            limit: about the characters that the result may have as JSON.

        Raises:
            ExpressionError: a name is undefined, or an operation failed or was too large.
        """
        return self._render(scope, Budget(limit))


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition."""

    static: bool
    _evaluate: _Render
    _source: str

    def holds(self, scope: Scope) -> bool:
        """Whether the condition is true in `scope`; null, 0 and what is empty are not.

        Text counts only as `true`, `false` or nothing at all: `"false"` would otherwise be true.

        Raises:
            ExpressionError: evaluation failed, or gave text that is neither.
        """
        result = self._evaluate(scope, Budget())
        if isinstance(result, str):
            word = result.strip().lower()
            if word in ("true", "false", ""):
                return word == "true"
            raise ExpressionError(
                f"the condition `{self._source}` gave the text {result[:40]!r}",
                hint="compare it with something, as in `!= ''`",
            )
        return bool(result)


def compile_value(raw: Any) -> Value:
    """Compile data in which texts may hold expressions; keys are taken as they are.

    Raises:
        ExpressionError: an expression is malformed; `path` and `offset` say where.
    """
    static, render = _compile(raw, ())
    return Value(static, render)


def compile_condition(raw: Any) -> Condition:
    """Compile a boolean, or the text of one expression with or without its `${{ }}`.

    Raises:
        ExpressionError: it is neither.
    """
    if isinstance(raw, bool):
        fixed = raw
        return Condition(True, lambda scope, budget: fixed, str(raw).lower())
    if not isinstance(raw, str):
        raise ExpressionError("a condition is true, false or an expression")
    part = _condition_part(raw)
    try:
        return Condition(False, _expression(part.source), part.source)
    except ExpressionError as error:
        raise _moved(error, part.offset) from None


def inspect_text(text: str) -> tuple[list[Reference], list[ExpressionError]]:
    """All names that a text's expressions mention, and all that is wrong with them.

    Args:
        text: text with any number of `${{ … }}`.
    """
    found: list[Reference] = []
    errors: list[ExpressionError] = []
    try:
        parts = split(text)
    except ExpressionError as error:
        return found, [error]
    for part in parts:
        if isinstance(part, Part):
            try:
                _expression(part.source)
            except ExpressionError as error:
                errors.append(_moved(error, part.offset))
            else:
                _collect(part, (), found)
    return found, errors


def references(raw: Any, *, condition: bool = False) -> list[Reference]:
    """Every chain of names that the expressions of `raw` mention.

    Args:
        raw: data in which texts may hold expressions.
        condition: `raw` is a condition, whose text needs no `${{ }}`.

    Raises:
        ExpressionError: an expression is malformed.
    """
    found: list[Reference] = []
    if condition:
        if isinstance(raw, str):
            _collect(_condition_part(raw), (), found)
        return found
    pending: list[tuple[Any, tuple[str | int, ...]]] = [(raw, ())]
    while pending:
        value, path = pending.pop()
        if isinstance(value, str):
            if has_expression(value):
                for part in _split(value, path):
                    if isinstance(part, Part):
                        _collect(part, path, found)
        elif isinstance(value, Mapping):
            pending.extend((item, (*path, key)) for key, item in value.items())
        elif isinstance(value, list | tuple):
            pending.extend((item, (*path, index)) for index, item in enumerate(value))
    return found


def _condition_part(text: str) -> Part:
    parts = split(text) if has_expression(text) else []
    if not parts:
        source = text.strip()
        if not source:
            raise ExpressionError("the condition is empty")
        return Part(source, len(text) - len(text.lstrip()))
    whole = [part for part in parts if not isinstance(part, str) or part.strip()]
    if len(whole) != 1 or not isinstance(whole[0], Part):
        raise ExpressionError(
            "a condition is one expression", hint="put all of it into one ${{ … }}"
        )
    return whole[0]


def _collect(part: Part, path: tuple[str | int, ...], found: list[Reference]) -> None:
    try:
        chains = _chains(part.source)
    except ExpressionError as error:
        raise _moved(error, part.offset, path) from None
    for chain in chains:
        offsets = tuple(part.offset + offset for _, offset in chain)
        found.append(Reference(tuple(name for name, _ in chain), offsets[0], offsets, path))


def _moved(
    error: ExpressionError, offset: int, path: tuple[str | int, ...] = ()
) -> ExpressionError:
    return ExpressionError(
        error.message, error.offset + offset, length=error.length, hint=error.hint, path=path
    )


def _split(text: str, path: tuple[str | int, ...]) -> list[str | Part]:
    try:
        return split(text)
    except ExpressionError as error:
        raise _moved(error, 0, path) from None


@functools.lru_cache(maxsize=8192)
def _chains(source: str) -> tuple[tuple[tuple[str, int], ...], ...]:
    from jinja2 import nodes

    from nexaflow_cli.spec.grammar import parse
    from nexaflow_cli.spec.lookup import chain

    found: list[tuple[tuple[str, int], ...]] = []
    pending: list[nodes.Node] = [parse(source)]
    while pending:
        node = pending.pop()
        if names := chain(node):
            found.append(tuple(names))
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            pending.extend(child for child in node.iter_child_nodes() if child is not node.node)
        else:
            pending.extend(node.iter_child_nodes())
    return tuple(sorted(found, key=lambda names: names[0][1]))


@functools.lru_cache(maxsize=8192)
def _expression(source: str) -> _Render:
    """A function for the expression, whose errors name it."""
    from nexaflow_cli.spec.evaluator import build
    from nexaflow_cli.spec.grammar import parse
    from nexaflow_cli.spec.lookup import UndefinedError

    try:
        evaluate = build(parse(source))
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply") from None

    def run(scope: Scope, budget: Budget) -> Any:
        try:
            return evaluate(scope, Budget())
        except UndefinedError:
            raise
        except ExpressionError as error:
            raise ExpressionError(f"`{_short(source)}`: {error.message}", hint=error.hint) from None
        except (ArithmeticError, TypeError, ValueError, LookupError, RecursionError) as error:
            raise ExpressionError(f"`{_short(source)}`: {error}") from None

    return run


def _short(source: str) -> str:
    return source if len(source) <= 120 else source[:119] + "…"


def _compile(raw: Any, path: tuple[str | int, ...]) -> tuple[bool, _Render]:
    if isinstance(raw, str):
        if not has_expression(raw):
            return True, lambda scope, budget: raw
        try:
            # Only short texts are worth keeping, and long ones could fill the memory.
            return _text(raw) if len(raw) <= MAX_EXPRESSION else _text.__wrapped__(raw)
        except ExpressionError as error:
            raise _moved(error, 0, path) from None
    if isinstance(raw, Mapping):
        fields = {key: _compile(item, (*path, key)) for key, item in raw.items()}
        renders = [(key, render) for key, (_, render) in fields.items()]
        return all(static for static, _ in fields.values()), lambda scope, budget: {
            key: render(scope, budget) for key, render in renders
        }
    if isinstance(raw, list | tuple):
        items = [_compile(item, (*path, index)) for index, item in enumerate(raw)]
        elements = [render for _, render in items]
        return all(static for static, _ in items), lambda scope, budget: [
            render(scope, budget) for render in elements
        ]
    return True, lambda scope, budget: raw


@functools.lru_cache(maxsize=8192)
def _text(text: str) -> tuple[bool, _Render]:
    parts = split(text)
    if all(isinstance(part, str) for part in parts):
        literal = "".join(part for part in parts if isinstance(part, str))
        return True, lambda scope, budget: literal
    compiled: list[str | _Render] = []
    for part in parts:
        if isinstance(part, str):
            compiled.append(part)
            continue
        try:
            compiled.append(_expression(part.source))
        except ExpressionError as error:
            raise _moved(error, part.offset) from None
    if len(compiled) == 1 and not isinstance(compiled[0], str):
        return False, _whole(compiled[0])
    return False, _mixed(compiled)


def _whole(evaluate: _Render) -> _Render:
    def run(scope: Scope, budget: Budget) -> Any:
        value = evaluate(scope, budget)
        kind = type(value)
        if kind is int:
            return checked_int(value)
        return value if kind in _SCALARS else to_data(value, budget)

    return run


def _mixed(parts: list[str | _Render]) -> _Render:
    def run(scope: Scope, budget: Budget) -> str:
        texts = []
        for part in parts:
            text = part if isinstance(part, str) else to_text(part(scope, budget), budget)
            budget.spend(len(text))
            texts.append(text)
        return "".join(texts)

    return run
