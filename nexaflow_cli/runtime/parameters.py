"""An attempt's parameters and environment: expressions rendered, then checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nexaflow_cli.actions.base import Action, ActionError
from nexaflow_cli.engine.state import RunState, StepState
from nexaflow_cli.spec.schema import ValueSchema
from nexaflow_cli.spec.shape import Problem


class Parameters:
    """Renders `with` and `env`. Secrets are seen here and nowhere above."""

    def __init__(self, actions: Mapping[str, Action], secrets: Mapping[str, str]) -> None:
        self._actions = actions
        self._secrets = secrets
        self._schemas: dict[str, ValueSchema] = {}

    def render(self, state: RunState, step: StepState) -> tuple[dict[str, Any], dict[str, str]]:
        """The parameters and the environment of an attempt.

        Raises:
            ExpressionError: an expression cannot be computed.
            ActionError: the rendered parameters do not fit the action's schema.
        """
        node = step.node
        assert node.params is not None
        env: dict[str, str] = {}
        if node.params.static and node.env is None and not state.plan.workflow.env:
            params = node.params.render({})
        else:
            scope = {**step.scope, "secrets": self._secrets, "env": env}
            if node.env is not None or state.plan.workflow.env:
                scope["env"] = state.plan.env.render(scope)
                own = node.env.render(scope) if node.env is not None else {}
                env = {name: as_text(value) for name, value in {**scope["env"], **own}.items()}
                scope["env"] = env
            params = node.params.render(scope)
        # Literal parameters were checked when the workflow was applied.
        if not node.params.static:
            problem = describe(self._schema(node.action).problems(params))
            if problem is not None:
                raise ActionError(f"with: {problem}", type="parameters", retryable=False)
        return dict(params), env

    def _schema(self, action: str) -> ValueSchema:
        schema = self._schemas.get(action)
        if schema is None:
            schema = self._schemas[action] = ValueSchema(self._actions[action].schema)
        return schema


def as_text(value: Any) -> str:
    """A value as an environment variable holds it: text as it is, the rest as JSON."""
    if isinstance(value, str):
        return value
    import orjson

    return orjson.dumps(value).decode()


def describe(problems: Sequence[Problem]) -> str | None:
    """All that is wrong with a value in one line, each with its place; None if nothing is."""
    if not problems:
        return None
    told = []
    for problem in problems:
        place = ".".join(str(part) for part in problem.path)
        told.append(f"{place}: {problem.message}" if place else problem.message)
    return "; ".join(told)
