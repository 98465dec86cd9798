"""Members of organisations: who they are, as what, and how they go (T1, T3)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from shared.identity.caller import Caller
from shared.identity.permissions import Role
from shared.identity.security_events import SecurityEventKind, new_event
from shared.identity.sessions import Sessions
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId, UserId, WorkspaceId
from shared.kernel.pages import Page, PageToken, collect_page
from shared.tenancy.attempts import until_settled
from shared.tenancy.errors import GrantBeyondCallerError, MemberNotFoundError, OwnerLimitedError
from shared.tenancy.granting import check_grant, check_owner
from shared.tenancy.invitations import revoke_all_of
from shared.tenancy.models import Member, Tenant
from shared.tenancy.owners import with_owner, without_owner
from shared.tenancy.ports import Note, Put, Remove, TenancyRepository, Write
from shared.tenancy.tenants import existing_tenant
from shared.tenancy.workspaces import check_workspaces

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Members:
    """The members of organisations. Whoever acts needs credentials that reach as far as the place they change.

    Every change that makes or unmakes an owner is written together with the list of owners, under its revision: of two
    owners who remove each other at once, one is refused. Sessions of whoever is gone are ended afterwards; without
    the membership they are good for nothing in the meantime.
    """

    records: TenancyRepository
    sessions: Sessions
    clock: Clock

    async def page(self, tenant: TenantId, limit: int, token: PageToken | None) -> Page[Member]:
        """List members in a stable order. Raises: InvalidPageTokenError."""
        return await collect_page(
            lambda count, after: self.records.members(tenant, count, None if after is None else UserId(after)),
            lambda member: member.user_id,
            lambda _: True,
            limit,
            token,
            (tenant, "members"),
        )

    async def change_role(self, caller: Caller, user_id: UserId, role: Role) -> Member:
        """Give a member another role; one who becomes an owner reaches all workspaces.

        Raises: MemberNotFoundError, GrantBeyondCallerError, LastOwnerError, TenantNotFoundError, ChangedMeanwhileError.
        """

        async def change(tenant: Tenant, member: Member) -> Member:
            check_owner(caller, tenant)
            check_grant(caller, member.role, member.workspaces)
            workspaces = None if role is Role.OWNER else member.workspaces
            check_grant(caller, role, workspaces)
            if member.role is role:
                return member
            changed = replace(member, role=role, workspaces=workspaces, updated_at=self.clock.now())
            facts = {"before": member.role.value, "after": role.value}
            event = new_event(SecurityEventKind.ROLE_CHANGED, self.clock.now(), user=user_id, by=caller.user, **facts)
            return await self._write(tenant, changed, Note(event))

        return await self._change(caller.tenant, user_id, change)

    async def change_workspaces(
        self, caller: Caller, user_id: UserId, workspaces: frozenset[WorkspaceId] | None
    ) -> Member:
        """Limit a member to some workspaces, or to none of them in particular (None).

        Raises: MemberNotFoundError, GrantBeyondCallerError, OwnerLimitedError, WorkspaceNotFoundError,
        TenantNotFoundError, ChangedMeanwhileError.
        """
        await check_workspaces(self.records, caller.tenant, workspaces or ())

        async def change(tenant: Tenant, member: Member) -> Member:
            check_owner(caller, tenant)
            check_grant(caller, member.role, member.workspaces)
            check_grant(caller, member.role, workspaces)
            if member.role is Role.OWNER and workspaces is not None:
                raise OwnerLimitedError
            return await self._write(tenant, replace(member, workspaces=workspaces, updated_at=self.clock.now()))

        return await self._change(caller.tenant, user_id, change)

    async def remove(self, caller: Caller, user_id: UserId) -> None:
        """Let a member in no more: not by a session, a key that they made, or another invitation.

        Raises: MemberNotFoundError, GrantBeyondCallerError, LastOwnerError, TenantNotFoundError, ChangedMeanwhileError.
        """

        async def change(tenant: Tenant, member: Member) -> Member:
            check_owner(caller, tenant)
            check_grant(caller, member.role, member.workspaces)
            # First, while they are worthless anyway: a member accepts no other.
            await revoke_all_of(self.records, caller.tenant, member.email, self.clock.now())
            return await self._unwrite(tenant, member, caller.user)

        await self._change(caller.tenant, user_id, change)
        await self.sessions.end_all(caller.tenant, user_id)

    async def leave(self, caller: Caller) -> None:
        """Take the caller out of their organisation.

        Raises: MemberNotFoundError, GrantBeyondCallerError for an API key, LastOwnerError, TenantNotFoundError,
        ChangedMeanwhileError.
        """
        _check_person(caller)

        async def change(tenant: Tenant, member: Member) -> Member:
            return await self._unwrite(tenant, member, caller.user)

        await self._change(caller.tenant, caller.user, change)
        await self.sessions.end_all(caller.tenant, caller.user)

    async def transfer_ownership(self, caller: Caller, user_id: UserId) -> tuple[Member, Member]:
        """Make another member an owner and the caller a maintainer, both or neither; return both, that one first.

        Raises: MemberNotFoundError, GrantBeyondCallerError for an API key and for whoever is no owner now,
        TenantNotFoundError, ChangedMeanwhileError.
        """
        _check_person(caller)

        async def attempt() -> tuple[Member, Member]:
            tenant, receiver, giver = await asyncio.gather(
                existing_tenant(self.records, caller.tenant),
                self._existing(caller.tenant, user_id),
                self._existing(caller.tenant, caller.user),
            )
            if giver.role is not Role.OWNER:
                raise GrantBeyondCallerError("Only an owner hands the organisation over.")
            if receiver.user_id == giver.user_id:
                return receiver, giver
            now = self.clock.now()
            received = replace(receiver, role=Role.OWNER, workspaces=None, updated_at=now)
            given = replace(giver, role=Role.MAINTAINER, updated_at=now)
            owned = without_owner(with_owner(tenant, received.user_id, now), given.user_id, now)
            event = new_event(SecurityEventKind.OWNERSHIP_TRANSFERRED, now, user=user_id, by=caller.user)
            await self.records.commit(caller.tenant, [Put(owned), Put(received), Put(given), Note(event)])
            return replace(received, revision=received.revision + 1), replace(given, revision=given.revision + 1)

        return await until_settled(attempt)

    async def _change(
        self, tenant: TenantId, user_id: UserId, change: Callable[[Tenant, Member], Awaitable[Member]]
    ) -> Member:
        async def attempt() -> Member:
            found, member = await asyncio.gather(
                existing_tenant(self.records, tenant), self._existing(tenant, user_id)
            )  # fmt: skip
            return await change(found, member)

        return await until_settled(attempt)

    async def _existing(self, tenant: TenantId, user_id: UserId) -> Member:
        found = await self.records.member(tenant, user_id)
        if found is None:
            raise MemberNotFoundError("There is no such member. List the members to see who there is.")
        return found

    async def _write(self, tenant: Tenant, member: Member, *notes: Note) -> Member:
        owning = with_owner if member.role is Role.OWNER else without_owner
        owned = owning(tenant, member.user_id, self.clock.now())
        await self.records.commit(tenant.tenant, [*_if_changed(tenant, owned), Put(member), *notes])
        return replace(member, revision=member.revision + 1)

    async def _unwrite(self, tenant: Tenant, member: Member, by: UserId) -> Member:
        now = self.clock.now()
        owned = without_owner(tenant, member.user_id, now)
        event = new_event(SecurityEventKind.MEMBER_REMOVED, now, user=member.user_id, by=by)
        await self.records.commit(tenant.tenant, [*_if_changed(tenant, owned), Remove(member), Note(event)])
        return member


def _if_changed(before: Tenant, after: Tenant) -> list[Write]:
    return [] if after == before else [Put(after)]


def _check_person(caller: Caller) -> None:
    if caller.key_id is not None:
        raise GrantBeyondCallerError("An API key cannot do this. Sign in and do it yourself.")
