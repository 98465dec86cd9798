"""Invitations: a token, shown once, with which somebody becomes a member (T1)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.identity.caller import Caller
from shared.identity.opaque_tokens import OpaqueToken, new_opaque_token
from shared.identity.permissions import Role
from shared.identity.users import Users
from shared.kernel.clock import Clock
from shared.kernel.ids import InvitationId, TenantId, UserId, WorkspaceId
from shared.kernel.pages import Page, PageToken, collect_page
from shared.tenancy.attempts import until_settled
from shared.tenancy.errors import (
    AlreadyMemberError,
    ChangedMeanwhileError,
    InvitationClosedError,
    InvitationNotFoundError,
    OwnerLimitedError,
)
from shared.tenancy.granting import check_grant, check_owner
from shared.tenancy.models import Invitation, InvitationStatus
from shared.tenancy.ports import Put, TenancyRepository
from shared.tenancy.workspaces import check_workspaces

KIND: Final = "tin"
"""How an invitation's token begins."""

LIFETIME: Final = timedelta(days=7)
_READ_AT_ONCE: Final = 100

MOST_TOKENS: Final = 5
"""Tokens that are good for one invitation; a further repetition puts the oldest out of use."""


def new_invitation(
    tenant: TenantId,
    invitation_id: InvitationId,
    email: str,
    role: Role,
    workspaces: frozenset[WorkspaceId] | None,
    invited_by: UserId,
    now: datetime,
) -> tuple[Invitation, OpaqueToken]:
    """Return an invitation and its token, which is stored nowhere."""
    token = new_opaque_token(KIND, tenant, invitation_id)
    invitation = Invitation(
        tenant=tenant,
        invitation_id=invitation_id,
        email=email,
        role=role,
        secret_hashes=(token.secret_hash,),
        invited_by=invited_by,
        created_at=now,
        expires_at=now + LIFETIME,
        workspaces=workspaces,
    )
    return invitation, token


async def with_another_token(
    records: TenancyRepository, tenant: TenantId, invitation_id: InvitationId
) -> tuple[Invitation, OpaqueToken]:
    """Return an invitation that exists with one more token: the answer with the first one may have been lost.

    Raises: InvitationNotFoundError, ChangedMeanwhileError.
    """

    async def attempt() -> tuple[Invitation, OpaqueToken]:
        found = await records.invitation(tenant, invitation_id)
        if found is None:
            raise InvitationNotFoundError("There is no such invitation any more. Send a new request.")
        token = new_opaque_token(KIND, tenant, invitation_id)
        hashes = (*found.secret_hashes, token.secret_hash)[-MOST_TOKENS:]
        changed = replace(found, secret_hashes=hashes)
        await records.commit(tenant, [Put(changed)])
        return replace(changed, revision=changed.revision + 1), token

    return await until_settled(attempt)


async def revoke_all_of(records: TenancyRepository, tenant: TenantId, email: str, now: datetime) -> None:
    """Make every open invitation of an address worthless, so that whoever is removed does not come back by one.

    Raises: ChangedMeanwhileError.
    """
    after: InvitationId | None = None
    while page := await records.invitations(tenant, _READ_AT_ONCE, after):
        for found in page:
            if found.email == email and found.status(now) is InvitationStatus.PENDING:
                await _revoke(records, tenant, found.invitation_id, now)
        after = page[-1].invitation_id


async def _revoke(records: TenancyRepository, tenant: TenantId, invitation_id: InvitationId, now: datetime) -> None:
    async def attempt() -> None:
        found = await records.invitation(tenant, invitation_id)
        if found is not None and found.status(now) is InvitationStatus.PENDING:
            await records.commit(tenant, [Put(replace(found, revoked_at=now))])

    await until_settled(attempt)


@dataclass(frozen=True, slots=True)
class Invitations:
    """The invitations of organisations, as those who may invite handle them."""

    records: TenancyRepository
    users: Users
    clock: Clock

    async def invite(
        self,
        caller: Caller,
        invitation_id: InvitationId,
        email: str,
        role: Role,
        workspaces: frozenset[WorkspaceId] | None,
    ) -> tuple[Invitation, OpaqueToken]:
        """Ask somebody to join the caller's organisation; for an invitation that exists, return it with another token.

        Raises: GrantBeyondCallerError, OwnerLimitedError, WorkspaceNotFoundError, AlreadyMemberError,
        InvitationNotFoundError when it existed and is gone, ChangedMeanwhileError.
        """
        check_grant(caller, role, workspaces)
        check_owner(caller, await self.records.tenant(caller.tenant))
        if role is Role.OWNER and workspaces is not None:
            raise OwnerLimitedError
        await check_workspaces(self.records, caller.tenant, workspaces or ())
        account = await self.users.by_email(email)
        if account is not None and await self.records.member(caller.tenant, account.user_id) is not None:
            raise AlreadyMemberError(f"{email} is a member already.")
        invitation, token = new_invitation(
            caller.tenant, invitation_id, email, role, workspaces, caller.user, self.clock.now()
        )
        try:
            await self.records.commit(caller.tenant, [Put(invitation)])
        except ChangedMeanwhileError:
            # Only a repeated request names an id that exists.
            return await with_another_token(self.records, caller.tenant, invitation_id)
        return replace(invitation, revision=1), token

    async def page(
        self, tenant: TenantId, status: InvitationStatus | None, limit: int, token: PageToken | None
    ) -> Page[Invitation]:
        """List invitations in the order of their creation. Raises: InvalidPageTokenError."""
        now = self.clock.now()
        return await collect_page(
            lambda count, after: self.records.invitations(
                tenant, count, None if after is None else InvitationId(after)
            ),
            lambda invitation: invitation.invitation_id,
            lambda invitation: status is None or invitation.status(now) is status,
            limit,
            token,
            (tenant, "invitations", status),
        )

    async def revoke(self, caller: Caller, invitation_id: InvitationId) -> None:
        """Make an invitation worthless; doing it twice changes nothing.

        Raises: InvitationNotFoundError, InvitationClosedError, GrantBeyondCallerError, ChangedMeanwhileError.
        """

        async def attempt() -> None:
            found = await self.records.invitation(caller.tenant, invitation_id)
            if found is None:
                raise InvitationNotFoundError("There is no such invitation. List them to see what there is.")
            check_grant(caller, found.role, found.workspaces)
            check_owner(caller, await self.records.tenant(caller.tenant))
            if found.accepted_at is not None:
                raise InvitationClosedError("It was accepted. Remove the member instead.")
            if found.revoked_at is None:
                await self.records.commit(caller.tenant, [Put(replace(found, revoked_at=self.clock.now()))])

        await until_settled(attempt)
