"""Who may do what: permissions, and the roles that bundle them. No request is known here."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """One kind of access; every route and socket needs one of these, or is public."""

    WORKFLOWS_READ = "workflows.read"
    WORKFLOWS_OPERATE = "workflows.operate"
    WORKFLOWS_WRITE = "workflows.write"
    RUNS_READ = "runs.read"
    RUNS_START = "runs.start"
    RUNS_OPERATE = "runs.operate"
    FILES_READ = "files.read"
    FILES_WRITE = "files.write"
    EVENTS_READ = "events.read"
    EVENTS_EMIT = "events.emit"
    SYSTEM_READ = "system.read"
    SYSTEM_ADMIN = "system.admin"
    TASKS_SERVE = "tasks.serve"


class Role(StrEnum):
    """What a key is for. Each of the first four may do all that the one before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    EDITOR = "editor"
    ADMIN = "admin"
    WORKER = "worker"


_VIEWER = frozenset(
    {
        Permission.WORKFLOWS_READ,
        Permission.RUNS_READ,
        Permission.FILES_READ,
        Permission.EVENTS_READ,
        Permission.SYSTEM_READ,
    }
)
_OPERATOR = _VIEWER | {
    Permission.WORKFLOWS_OPERATE,
    Permission.RUNS_START,
    Permission.RUNS_OPERATE,
    Permission.EVENTS_EMIT,
}
_EDITOR = _OPERATOR | {
    Permission.WORKFLOWS_WRITE,
    Permission.FILES_WRITE,
    Permission.TASKS_SERVE,
}
# A process with handlers: takes tasks, and works on files with the client it has.
_WORKER = frozenset(
    {
        Permission.TASKS_SERVE,
        Permission.WORKFLOWS_READ,
        Permission.RUNS_READ,
        Permission.FILES_READ,
        Permission.FILES_WRITE,
        Permission.EVENTS_READ,
        Permission.EVENTS_EMIT,
    }
)

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.EDITOR: _EDITOR,
    Role.ADMIN: frozenset(Permission),
    Role.WORKER: _WORKER,
}


def least_role(permission: Permission) -> Role:
    """The smallest role that holds a permission, for the words of a refusal."""
    ladder = (Role.VIEWER, Role.OPERATOR, Role.EDITOR, Role.ADMIN)
    return next(role for role in ladder if permission in GRANTS[role])
