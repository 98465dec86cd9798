"""Organisations, their workspaces, their members and who was asked to join (T1): the records of the identity table.

Every record carries the `revision` it was read at; a commit succeeds only while all of its records still have theirs,
so each change is one conditional write.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.identity.permissions import Role
from shared.kernel.ids import InvitationId, TenantId, UserId, WorkspaceId, encode_base32
from shared.tenancy.plans import LATEST_VERSION, PlanName

OPERATORS: Final = TenantId("operators")
"""The organisation of those who run the deployment; it has members of role operator only, and no data."""

_ID_BITS: Final = 26 * 5


class TenantStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    """Nobody gets in, nothing is lost."""


@dataclass(frozen=True, slots=True)
class Override:
    """One figure of one tenant, in place of its plan's, until `expires_at`."""

    value: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organisation. `plan` may be a name that this version does not know: it counts as starter.

    `owners` are the members of role owner: they stand here so that one condition can see that one always remains. It is
    empty only until the first one accepts the invitation of an operator.
    """

    tenant: TenantId
    name: str
    created_at: datetime
    updated_at: datetime
    plan: str = PlanName.STARTER.value
    plan_version: int = LATEST_VERSION
    overrides: Mapping[str, Override] = field(default_factory=dict)
    status: TenantStatus = TenantStatus.ACTIVE
    owners: frozenset[UserId] = frozenset()
    revision: int = 0


@dataclass(frozen=True, slots=True)
class TenantPosition:
    """Where a list of all organisations goes on: they are listed by creation, then by id."""

    created_at: datetime
    tenant: TenantId

    def __str__(self) -> str:
        return f"{self.created_at.isoformat()}/{self.tenant}"

    @classmethod
    def read(cls, text: str) -> "TenantPosition":
        """Return the position for which `text` stands. Raises: ValueError for what is none."""
        moment, _, tenant = text.partition("/")
        position = cls(datetime.fromisoformat(moment), TenantId(tenant))
        if not tenant or str(position) != text:
            raise ValueError(f"{text!r} is no position.")
        return position


@dataclass(frozen=True, slots=True)
class Workspace:
    """A part of an organisation; knowledge bases belong to one, and members and API keys may be limited to some."""

    tenant: TenantId
    workspace_id: WorkspaceId
    name: str
    created_at: datetime
    updated_at: datetime
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """A user's place in one organisation. `workspaces` None means all of them; owners are never limited.

    `email` and `display_name` are the user's as of joining, for lists.
    """

    tenant: TenantId
    user_id: UserId
    role: Role
    email: str
    display_name: str
    created_at: datetime
    updated_at: datetime
    workspaces: frozenset[WorkspaceId] | None = None
    revision: int = 0


def default_workspace_of(tenant: TenantId) -> WorkspaceId:
    """Return the workspace of whatever names none: a function of the tenant, so that nobody has to look it up."""
    digest = int.from_bytes(hashlib.sha256(f"default workspace of {tenant}".encode()).digest())
    return WorkspaceId("ws_" + encode_base32(digest >> (256 - _ID_BITS), 26))


class InvitationStatus(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who was asked to join, as what, and until when. It is good for one acceptance.

    `secret_hashes` are SHA-256 digests (hex) of the secrets that were handed out for it, newest last: each repetition
    of one request is answered with a token of its own, and each of those is good. `acceptance` is the
    id under which it was accepted: the same request, sent again, is answered again.
    """

    tenant: TenantId
    invitation_id: InvitationId
    email: str
    role: Role
    secret_hashes: tuple[str, ...]
    invited_by: UserId
    created_at: datetime
    expires_at: datetime
    workspaces: frozenset[WorkspaceId] | None = None
    accepted_by: UserId | None = None
    accepted_at: datetime | None = None
    acceptance: str | None = None
    revoked_at: datetime | None = None
    revision: int = 0

    def status(self, now: datetime) -> InvitationStatus:
        if self.accepted_at is not None:
            return InvitationStatus.ACCEPTED
        if self.revoked_at is not None:
            return InvitationStatus.REVOKED
        return InvitationStatus.PENDING if now < self.expires_at else InvitationStatus.EXPIRED
