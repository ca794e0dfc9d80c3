"""Words of a command line as values of the types our commands use.

Typer converts with pydantic, whose import takes longer than most of our commands. The types here
are few and plain, so they are converted directly, with messages that say what was expected. A
parameter of any other type is left to Typer.
"""

from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

from typer._click.exceptions import BadParameter
from typer._coercion import RuntimeParam


class Plain(RuntimeParam):
    """Conversion of one parameter's words."""

    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:
        kind: Any = self.annotation
        try:
            if get_origin(kind) is list:
                return [self._one(item, get_args(kind)[0]) for item in value]
            return self._one(value, kind)
        except ValueError as error:
            raise BadParameter(str(error), ctx=ctx, param=param) from error

    def _one(self, value: Any, kind: Any) -> Any:
        if isinstance(value, kind):
            return value
        if issubclass(kind, Enum):
            return _member(str(value), kind)
        if issubclass(kind, int | float):
            return self._number(str(value), kind)
        return kind(value)

    def _number(self, text: str, kind: Any) -> Any:
        try:
            number = kind(text)
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise ValueError(f"{text!r} is not {what}") from None
        low, high = self.parameter_info.min, self.parameter_info.max
        if low is not None and number < low:
            raise ValueError(f"{text} is less than {low}")
        if high is not None and number > high:
            raise ValueError(f"{text} is more than {high}")
        return number


def simplify(param: Any) -> None:
    """Make a parameter convert its words here, if its type is one of ours."""
    kind = param.type_descriptor.annotation
    of = get_args(kind)[0] if get_origin(kind) is list and get_args(kind) else kind
    if not isinstance(of, type) or param.type_descriptor.parameter_info.parser is not None:
        return
    if of in {str, int, float, bool, Path} or issubclass(of, Enum):
        info = param.type_descriptor.parameter_info
        param._runtime_param = Plain(parameter_info=info, annotation=kind)


def _member(text: str, kind: type[Enum]) -> Enum:
    for member in kind:
        if member.value == text:
            return member
    from difflib import get_close_matches

    known = [str(member.value) for member in kind]
    close = get_close_matches(text, known, n=1)
    guess = f"; did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"{text!r} is not one of {', '.join(known)}{guess}")
