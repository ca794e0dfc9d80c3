"""What the YAML parser complains of, in words that say what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nexaflow_cli.spec.places import Span


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """A problem of the YAML itself, by offsets in the file."""

    code: str
    message: str
    span: Span
    hint: str = ""
    severity: str = "error"


def explain(error: Any, text: str) -> SourceProblem:
    """The problem that a `yaml.YAMLError` stands for."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return SourceProblem("yaml-syntax", f"this is not YAML: {error}", (0, 0))
    offset = min(mark.index, len(text))
    problem = str(error.problem or "it cannot be read")
    char = text[offset : offset + 1]
    span = (offset, min(offset + 1, len(text)))
    if char == "\t" or _tab_before(text, offset):
        tab = offset if char == "\t" else text.rindex("\t", 0, offset)
        message = "a tab cannot be used to indent YAML"
        return SourceProblem("yaml-tab", message, (tab, tab + 1), "use spaces")
    hint = ""
    if problem == "found character that cannot start any token":
        problem, hint = f"a value cannot begin with `{char}`", "put it in quotes"
    elif problem == "mapping values are not allowed in this context":
        problem = "a `:` is not allowed here"
        hint = "indent keys alike, and put a value that holds `: ` in quotes"
    elif problem == "found unexpected end of stream":
        problem, hint = "the quotes are not closed", ""
        if error.context_mark is not None:
            span = (error.context_mark.index, error.context_mark.index + 1)
    elif problem == "found unknown escape character":
        hint = "in double quotes a backslash is written twice; in single quotes once"
    elif problem == "found incompatible YAML document":
        problem, hint = "this version of YAML is not supported", "remove the %YAML line"
    elif problem.startswith("did not find expected"):
        problem = problem.replace("did not find expected", "expected")
        problem = problem.replace("key", "a key").replace("'-' indicator", "`-`")
        problem = problem.replace("<document start>", "the end of the file or `---`")
        hint = "check the indentation of this line and of the one before"
        if error.context_mark is not None and "flow" in str(error.context):
            opened = text[error.context_mark.index : error.context_mark.index + 1]
            hint = f"the `{opened}` of line {error.context_mark.line + 1} is still open"
    return SourceProblem("yaml-syntax", problem, span, hint)


def _tab_before(text: str, offset: int) -> bool:
    """Whether a tab indents the line; the parser often complains only after it."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    lead = text[start:offset]
    return bool(lead) and not lead.strip() and "\t" in lead
