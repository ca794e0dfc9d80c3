"""Text to workflows, with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nexaflow_cli.errors import InvalidError
from nexaflow_cli.spec.diagnostics import Diagnostic, has_errors, ordered
from nexaflow_cli.spec.findings import Findings
from nexaflow_cli.spec.lines import LineTable
from nexaflow_cli.spec.model import Workflow
from nexaflow_cli.spec.places import SourceDocument

Actions = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file.

    Args:
        name: the workflow's name; empty if there is none that could be read.
        workflow: the definition; None exactly if a diagnostic is an error.
        diagnostics: all problems, in the order of the file.
        source: the document's own text.
        data: the document as plain data.
    """

    name: str
    workflow: Workflow | None
    diagnostics: list[Diagnostic]
    source: str
    data: Any


class InvalidWorkflowError(InvalidError):
    """A definition with errors; `diagnostics` holds all of them."""

    def __init__(self, message: str, diagnostics: list[Diagnostic], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.diagnostics = diagnostics

    def details(self) -> dict[str, Any]:
        return {"diagnostics": [found.to_dict() for found in self.diagnostics]}


def load_text(text: str | bytes, filename: str, actions: Actions | None = None) -> list[Document]:
    """Read every document of a file; problems come back as diagnostics, never as an exception.

    Args:
        text: the file; bytes must be UTF-8.
        filename: what diagnostics call it.
        actions: action name to the JSON Schema of its `with`; without, actions are not checked.

    Returns:
        At least one document; one without workflow stands for a text that holds none.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            return [_undecodable(error, filename)]
    from nexaflow_cli.spec.source import read

    documents, problems = read(text)
    lines = LineTable(text)
    # Empty documents, such as one after a closing `---`, are nothing to speak of.
    kept = [document for document in documents if document.data is not None]
    results: list[Document] = []
    names: set[str] = set()
    for index, document in enumerate(kept):
        findings = Findings(filename, text, lines, document)
        first, last = index == 0, index == len(kept) - 1
        start, end = document.text_span
        start, end = 0 if first else start, len(text) if last else end
        for problem in problems:
            if (first or problem.span[0] >= start) and (last or problem.span[0] < end):
                findings.add_span(
                    problem.code,
                    problem.message,
                    problem.span,
                    problem.hint,
                    "warning" if problem.severity == "warning" else "error",
                )
        _check_name(document.data, names, findings)
        source = text[slice(*document.text_span)]
        results.append(_load_document(document, findings, source, actions))
    if not kept:
        findings = Findings(filename, text, lines, None)
        for problem in problems:
            findings.add_span(problem.code, problem.message, problem.span, problem.hint)
        if not problems:
            findings.add_span("empty-file", "there is no workflow in this file", (0, 0))
        results.append(Document("", None, ordered(findings.found), text, None))
    return results


def load_one(text: str | bytes, filename: str, actions: Actions | None = None) -> Workflow:
    """Read a text that holds one workflow.

    Raises:
        InvalidWorkflowError: it has errors, or holds more than one; names the first problem.
    """
    documents = load_text(text, filename, actions)
    found = [one for document in documents for one in document.diagnostics]
    errors = [one for one in found if one.severity == "error"]
    if errors:
        first = errors[0]
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        raise InvalidWorkflowError(
            f"{filename}:{first.line}:{first.column}: {first.message}{more}",
            found,
            hint=first.hint or f"`nexaflow validate {filename}` shows each problem in its place",
        )
    workflow = documents[0].workflow
    if workflow is None or len(documents) > 1:
        raise InvalidWorkflowError(f"{filename} holds {len(documents)} workflows, not one", found)
    return workflow


def _load_document(
    document: SourceDocument, findings: Findings, source: str, actions: Actions | None
) -> Document:
    data = document.data
    # Half a document would be blamed for what is missing from it.
    if document.complete:
        _check(data, findings, actions or {})
    name = data.get("name") if isinstance(data, dict) else None
    diagnostics = ordered(findings.found)
    workflow = None
    if not has_errors(diagnostics) and document.complete:
        from nexaflow_cli.spec.build import build

        workflow = build(data)
    return Document(name if isinstance(name, str) else "", workflow, diagnostics, source, data)


def _check_name(data: Any, names: set[str], findings: Findings) -> None:
    """Two workflows of one name in a file would overwrite each other."""
    name = data.get("name") if isinstance(data, dict) else None
    if isinstance(name, str):
        if name in names:
            findings.add("duplicate-name", f"another document is called `{name[:63]}`", ("name",))
        names.add(name)


def _check(data: Any, findings: Findings, actions: Actions) -> None:
    from nexaflow_cli.spec.check_actions import check_actions
    from nexaflow_cli.spec.check_names import NameCheck
    from nexaflow_cli.spec.check_sites import check_sites
    from nexaflow_cli.spec.check_steps import check_steps
    from nexaflow_cli.spec.check_values import check_values
    from nexaflow_cli.spec.outline import outline
    from nexaflow_cli.spec.schema import workflow_shape

    if not isinstance(data, dict):
        findings.add("wrong-type", "a workflow is a mapping with `name` and `steps`", ())
        return
    problems = workflow_shape().problems(data)
    meant = {(*one.path[:-1], one.hint) for one in problems if one.code == "unknown-key"}
    for problem in problems:
        if problem.code == "missing-key":
            # `stepz` is told as a typo already.
            name = problem.message.split("`")[1]
            if (*problem.path, f"did you mean `{name}`?") in meant:
                continue
        findings.mark_broken(problem.path)
        place, of_key = problem.path, problem.of_key
        findings.add(problem.code, problem.message, place, problem.hint, of_key=of_key)
    if findings.is_full():
        return
    blocks = outline(data)
    order = check_steps(blocks, findings)
    check_values(data, blocks, findings)
    check_actions(blocks, actions, findings)
    check_sites(data, blocks, NameCheck(data, order, findings), findings)


def _undecodable(error: UnicodeDecodeError, filename: str) -> Document:
    before = error.object[: error.start].decode("utf-8", "replace")
    findings = Findings(filename, before, LineTable(before), None)
    message = f"the byte 0x{error.object[error.start]:02x} is not UTF-8"
    findings.add_span("not-utf-8", message, (len(before), len(before)), "save the file as UTF-8")
    return Document("", None, findings.found, "", None)
