"""An attempt's parameters and environment: expressions rendered, then checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nexaflow_cli.actions.base import Action, ActionError
from nexaflow_cli.engine.state import RunState, StepState

_OPEN_WORDS = {"type", "properties", "description", "title", "examples", "additionalProperties"}


class Parameters:
    """Renders `with` and `env`. Secrets are seen here and nowhere above."""

    def __init__(self, actions: Mapping[str, Action], secrets: Mapping[str, str]) -> None:
        self._actions = actions
        self._secrets = secrets
        self._checks: dict[str, Callable[[Any], str | None]] = {}

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
            scope = {**step.scope, "secrets": self._secrets}
            scope["env"] = state.plan.env.render(scope)
            own = node.env.render(scope) if node.env is not None else {}
            env = {name: as_text(value) for name, value in {**scope["env"], **own}.items()}
            params = node.params.render({**scope, "env": env})
        # Literal parameters were checked when the workflow was applied.
        if not node.params.static:
            problem = self._check(node.action)(params)
            if problem is not None:
                raise ActionError(f"with: {problem}", type="parameters", retryable=False)
        return dict(params), env

    def _check(self, action: str) -> Callable[[Any], str | None]:
        check = self._checks.get(action)
        if check is None:
            check = self._checks[action] = _checker(self._actions[action].schema)
        return check


def as_text(value: Any) -> str:
    """A value as an environment variable holds it: text as it is, the rest as JSON."""
    if isinstance(value, str):
        return value
    import orjson

    return orjson.dumps(value).decode()


def _checker(schema: Mapping[str, Any]) -> Callable[[Any], str | None]:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    validator = Draft202012Validator(dict(schema))

    def check(params: Any) -> str | None:
        error = best_match(validator.iter_errors(params))
        if error is None:
            return None
        place = ".".join(str(part) for part in error.absolute_path)
        return f"{place}: {error.message}" if place else str(error.message)

    return check
