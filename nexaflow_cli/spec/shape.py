"""JSON Schema compiled to functions, with problems that a person can read.

Covers the part of Draft 2020-12 that our own schemas, actions' `with` and inputs use; whatever
else a schema holds is refused when it is compiled, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nexaflow_cli.spec.nearest import did_you_mean
from nexaflow_cli.spec.places import Path
from nexaflow_cli.spec.template import OPEN

MAX_PROBLEMS = 200

_ANNOTATIONS = frozenset(
    ("$schema", "$id", "$comment", "$defs", "title", "description", "default", "examples")
) | frozenset(("deprecated", "readOnly", "writeOnly", "format", "errorMessage"))


class WrongSchemaError(ValueError):
    """The schema is none; names the keyword whose value is wrong."""

    def __init__(self, keyword: str) -> None:
        super().__init__(f"not a JSON Schema: the value of `{keyword}`")


class UnsupportedSchemaError(ValueError):
    """The schema uses a keyword that is not compiled here."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One way in which a value is not what its schema says.

    Args:
        code: `unknown-key`, `missing-key`, `wrong-type`, `wrong-value` or `conflicting-keys`.
        message: what is wrong, as a sentence.
        path: keys and indexes that lead to it.
        of_key: the key at the end of `path` is meant, not its value.
        hint: what to write instead.
    """

    code: str
    message: str
    path: Path
    of_key: bool = False
    hint: str = ""


class Run:
    """One validation under way."""

    __slots__ = ("lenient", "problems")

    def __init__(self, lenient: bool) -> None:
        self.lenient = lenient
        self.problems: list[Problem] = []

    def add(
        self, code: str, message: str, path: Path, hint: str = "", *, of_key: bool = False
    ) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, message, path, of_key, hint))


Check = Callable[[Any, Path, Run], None]


class Shape:
    """A compiled schema."""

    def __init__(self, schema: Mapping[str, Any] | bool) -> None:
        from nexaflow_cli.spec.shape_keywords import KEYWORDS

        self._keywords = KEYWORDS
        self._root = schema
        self._named: dict[str, Check] = {}
        self._check = self.compile(schema)

    def problems(self, value: Any, *, lenient: bool = False) -> list[Problem]:
        """Everything that is wrong with the value.

        Args:
            value: JSON data.
            lenient: text with a `${{` in it stands for a value not known yet, which fits all.
        """
        run = Run(lenient)
        self._check(value, (), run)
        return run.problems

    def compile(self, schema: Any) -> Check:
        """The check for a schema inside this one.

        Raises:
            UnsupportedSchemaError: it uses something that is not covered.
        """
        if schema is True:
            return _anything
        if schema is False:
            return _nothing
        if not isinstance(schema, Mapping):
            raise WrongSchemaError(f"{schema}"[:40])
        checks: list[Check] = []
        if isinstance(reference := schema.get("$ref"), str):
            checks.append(self._reference(reference))
        for keyword in schema:
            if keyword in self._keywords:
                check = self._keywords[keyword](schema, self)
                if check is not None:
                    checks.append(check)
            elif keyword not in _ANNOTATIONS and keyword != "$ref":
                raise UnsupportedSchemaError(f"the keyword `{keyword}`")
        return _all_of(tuple(checks))

    def _reference(self, reference: str) -> Check:
        if reference in self._named:
            return self._named[reference]
        target: Any = self._root
        if not reference.startswith("#/"):
            raise UnsupportedSchemaError(f"the reference `{reference}`")
        for part in reference[2:].split("/"):
            if not isinstance(target, Mapping) or part not in target:
                raise UnsupportedSchemaError(f"the reference `{reference}`")
            target = target[part]
        # Set before compiling, so that a schema may refer to itself.
        compiled: list[Check] = []
        self._named[reference] = lambda value, path, run: compiled[0](value, path, run)
        compiled.append(self.compile(target))
        self._named[reference] = compiled[0]
        return compiled[0]


def _anything(value: Any, path: Path, run: Run) -> None:
    return


def _nothing(value: Any, path: Path, run: Run) -> None:
    run.add("wrong-value", "nothing is allowed here", path)


def _all_of(checks: tuple[Check, ...]) -> Check:
    def check(value: Any, path: Path, run: Run) -> None:
        if run.lenient and type(value) is str and OPEN in value:
            return
        for one in checks:
            one(value, path, run)

    return check


def passes(check: Check, value: Any, run: Run) -> bool:
    """Whether the value satisfies a check, leaving no trace."""
    trial = Run(run.lenient)
    check(value, (), trial)
    return not trial.problems


def unknown_key(key: str, known: Mapping[str, Any], path: Path, run: Run) -> None:
    """Report a key that the schema does not name."""
    shown = key if len(key) <= 60 else key[:60] + "…"
    run.add(
        "unknown-key",
        f"unknown key `{shown}`",
        (*path, key),
        did_you_mean(key, known) if known else "",
        of_key=True,
    )


def pattern(text: str) -> re.Pattern[str]:
    """A schema's regular expression; its `$` means the very end, as in ECMAScript."""
    if not isinstance(text, str):
        raise WrongSchemaError("pattern")
    try:
        return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", text))
    except (re.error, RecursionError, OverflowError) as error:
        raise UnsupportedSchemaError(f"the pattern `{text}`: {error}") from None
