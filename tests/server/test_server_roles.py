"""Roles and permissions: who may what."""

from __future__ import annotations

from itertools import pairwise

import pytest

from nexaflow_cli.server.auth import Identity, Keyring, allowed, bearer
from nexaflow_cli.server.permissions import NEEDS, PUBLIC
from nexaflow_cli.server.roles import GRANTS, Permission, Role, least_role


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.VIEWER, Permission.RUNS_READ, Permission.RUNS_START),
        (Role.OPERATOR, Permission.RUNS_START, Permission.FILES_WRITE),
        (Role.EDITOR, Permission.WORKFLOWS_WRITE, Permission.SYSTEM_ADMIN),
        (Role.WORKER, Permission.TASKS_SERVE, Permission.WORKFLOWS_WRITE),
        (Role.WORKER, Permission.FILES_WRITE, Permission.RUNS_OPERATE),
    ],
)
def test_a_role_holds_what_it_is_for_and_no_more(
    role: Role, may: Permission, may_not: Permission
) -> None:
    who = Identity("someone", role)
    assert allowed(who, may)
    assert not allowed(who, may_not)


def test_each_role_of_the_ladder_holds_all_of_the_one_below() -> None:
    ladder = [GRANTS[role] for role in (Role.VIEWER, Role.OPERATOR, Role.EDITOR, Role.ADMIN)]
    assert all(low < high for low, high in pairwise(ladder))
    assert ladder[-1] == set(Permission)


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_has_a_smallest_role(permission: Permission) -> None:
    assert permission in GRANTS[least_role(permission)]


def test_health_alone_is_public() -> None:
    assert [name for name, need in NEEDS.items() if need is PUBLIC] == [("GET", "/health")]


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (b"Bearer nxk_abc", "nxk_abc"),
        (b"bearer nxk_abc", "nxk_abc"),
        (b"Bearer  nxk_abc ", "nxk_abc"),
        (None, None),
        (b"", None),
        (b"Bearer", None),
        (b"Bearer ", None),
        (b"nxk_abc", None),
        (b"Basic bnhrOmFiYw==", None),
        (b"Bearer nxk_\xff", None),
    ],
)
def test_the_token_of_a_header(header: bytes | None, token: str | None) -> None:
    assert bearer(header) == token


@pytest.mark.parametrize("token", ["", "nxk_", "nxk_secre", "nxk_secrets", "NXK_SECRET", "ø"])
def test_only_the_very_key_is_somebodys(token: str) -> None:
    keys = Keyring("nxk_secret")
    assert keys.identify(token) is None
    owner = keys.identify("nxk_secret")
    assert owner is not None
    assert owner.role is Role.ADMIN
