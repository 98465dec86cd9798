"""A caller as one line of JSON: how the authorizer hands on, through API Gateway, whom it recognised."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from shared.identity.caller import Caller
from shared.identity.permissions import Permission, Role
from shared.identity.tokens import TENANT_PATTERN, USER_PATTERN
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import ApiKeyId, TenantId, UserId, WorkspaceId
from shared.tenancy.plans import Figures

CONTEXT_NAME: Final = "caller"
"""The name under which the authorizer's context carries the line; nobody at all is a context without it."""


class UnreadableCallerError(TesseraError):
    """The authorizer and this function write callers differently: one of them is of another release."""

    code: ClassVar[str] = "release-under-way"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    retry_after_s: ClassVar[float] = 30

    def __init__(self) -> None:
        super().__init__("A new release is being put in place. Send the request again in half a minute.")


def write_caller(caller: Caller) -> str:
    """Return the one line that stands for `caller`: sorted names, no spaces; None stays apart from an empty set."""
    members = {
        "tenant": caller.tenant,
        "user": caller.user,
        "role": caller.role.value,
        "key_id": caller.key_id,
        "permissions": _sorted(caller.permissions),
        "workspaces": _sorted(caller.workspaces),
        "figures": dataclasses.asdict(caller.figures),
    }
    return json.dumps(members, sort_keys=True, separators=(",", ":"))


def read_caller(line: str) -> Caller:
    """Return the caller for whom `line` stands.

    Raises: UnreadableCallerError for all that `write_caller` never says.
    """
    try:
        caller = _caller_of(json.loads(line))
        is_ours = write_caller(caller) == line and _has_fit_names(caller)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise UnreadableCallerError from error
    if not is_ours:
        # Unknown or equal names, another order, another type: whatever would not be written like this.
        raise UnreadableCallerError
    return caller


def _caller_of(members: Mapping[str, Any]) -> Caller:
    permissions, workspaces = members["permissions"], members["workspaces"]
    figures = Figures(**members["figures"])
    if any(type(figure) is not int for figure in dataclasses.astuple(figures)):
        raise TypeError("A figure is a whole number.")
    return Caller(
        TenantId(members["tenant"]),
        UserId(members["user"]),
        Role(members["role"]),
        key_id=None if members["key_id"] is None else ApiKeyId(members["key_id"]),
        permissions=None if permissions is None else frozenset(map(Permission, permissions)),
        workspaces=None if workspaces is None else frozenset(map(WorkspaceId, workspaces)),
        figures=figures,
    )


def _has_fit_names(caller: Caller) -> bool:
    return (
        TENANT_PATTERN.fullmatch(caller.tenant) is not None
        and USER_PATTERN.fullmatch(caller.user) is not None
        and (caller.key_id is None or isinstance(caller.key_id, str))
        and all(isinstance(workspace, str) for workspace in caller.workspaces or ())
    )


def _sorted(names: Iterable[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)
