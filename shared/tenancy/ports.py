"""What organisations need from outside. The tenant comes first everywhere (invariant 4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.identity.security_events import SecurityEvent
from shared.identity.users import User
from shared.kernel.ids import IdentityProviderId, InvitationId, TenantId, UserId, WorkspaceId
from shared.tenancy.models import Invitation, Member, Tenant, TenantPosition, Workspace

Record = Tenant | Workspace | Member | Invitation


@dataclass(frozen=True, slots=True)
class Put:
    """Write `record`, which must still be at the revision it carries (0: must not exist); it gets the next one.

    A member is written with the entry by which sign-in finds the user's organisations.
    """

    record: Record


@dataclass(frozen=True, slots=True)
class Check:
    """Write nothing, but insist that `record` still is at the revision it carries."""

    record: Record


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete `record`, which must still be at the revision it carries; with a member, sign-in's entry goes.

    That a member of that address went is remembered (`was_member`).
    """

    record: Record


@dataclass(frozen=True, slots=True)
class Register:
    """Create an account that nobody has: neither the user's id nor the address may be taken."""

    user: User


@dataclass(frozen=True, slots=True)
class RegisterUnlisted:
    """Create an account of one organisation's identity provider: its address leads nowhere and stays free for others.

    Nobody but that provider vouched for the address, so it must not become somebody's account elsewhere.
    """

    user: User


@dataclass(frozen=True, slots=True)
class Link:
    """Remember that `subject` of an identity provider is `user_id`; neither may be linked to another one of it yet."""

    tenant: TenantId
    provider_id: IdentityProviderId
    subject: str
    user_id: UserId


@dataclass(frozen=True, slots=True)
class Note:
    """Keep an event that owners should be able to read, if and only if the change that it tells of happens."""

    event: SecurityEvent


Write = Put | Check | Remove | Register | RegisterUnlisted | Link | Note


class WorkspaceUse(Protocol):
    """What stands in workspaces."""

    async def close(self, tenant: TenantId, workspace_id: WorkspaceId) -> bool:
        """Let no knowledge base into an empty workspace any more; False, and no change, when it is not empty."""
        ...


class TenancyRepository(Protocol):
    """Organisations with their workspaces, members and invitations; reads are strongly consistent unless said."""

    async def tenant(self, tenant: TenantId) -> Tenant | None: ...

    async def tenants(self, limit: int, after: TenantPosition | None = None) -> list[Tenant]:
        """Return up to `limit` organisations of the whole deployment, oldest first; the newest may be missing."""
        ...

    async def workspace(self, tenant: TenantId, workspace_id: WorkspaceId) -> Workspace | None: ...

    async def workspaces(self, tenant: TenantId, limit: int, after: WorkspaceId | None = None) -> list[Workspace]:
        """Return up to `limit` workspaces after `after`, in the order of their ids, which is that of their creation."""
        ...  # fmt: skip

    async def member(self, tenant: TenantId, user_id: UserId) -> Member | None: ...

    async def members(self, tenant: TenantId, limit: int, after: UserId | None = None) -> list[Member]:
        """Return up to `limit` members after `after`, in the order of their users' ids."""
        ...

    async def was_member(self, tenant: TenantId, email: str) -> bool:
        """Answer whether a member of that address, in its one spelling, was ever removed, or left."""
        ...

    async def invitation(self, tenant: TenantId, invitation_id: InvitationId) -> Invitation | None: ...

    async def invitations(self, tenant: TenantId, limit: int, after: InvitationId | None = None) -> list[Invitation]:
        """Return up to `limit` invitations after `after`, in the order of their creation, whatever became of them."""
        ...  # fmt: skip

    async def commit(self, tenant: TenantId, writes: Sequence[Write]) -> None:
        """Do all of `writes` (1 to 40, each about another record) or none.

        Raises: ChangedMeanwhileError when a record is not as it was read; EmailTakenError when all else was.
        """
        ...
