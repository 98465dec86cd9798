"""Organisations in memory: the same promises as the identity table's, held to them by one contract test."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.identity.security_events import SecurityEvent
from shared.identity.users import User
from shared.kernel.ids import UserId
from shared.tenancy.errors import ChangedMeanwhileError, EmailTakenError
from shared.tenancy.models import Invitation, Member, Tenant, Workspace
from shared.tenancy.ports import Check, Note, Put, Register, Remove


class MemoryTenancy:
    """Implements `TenancyRepository`; every call lets others go first as often as `pauses` says."""

    def __init__(self, pauses: Callable[[], int] = lambda: 0) -> None:
        self.records: dict[Any, Any] = {}
        self.users: dict[UserId, User] = {}
        self.emails: dict[str, UserId] = {}
        self.events: list[SecurityEvent] = []
        self._former: set[tuple[str, str]] = set()
        self._pauses = pauses

    async def tenant(self, tenant):
        return await self._get(Tenant, tenant, "")

    async def tenants(self, limit, after=None):
        found = [record for record in self.records.values() if isinstance(record, Tenant)]
        positions = {(record.created_at, record.tenant): record for record in found}
        behind = [place for place in sorted(positions) if after is None or place > (after.created_at, after.tenant)]
        return [positions[place] for place in behind[:limit]]

    async def workspace(self, tenant, workspace_id):
        return await self._get(Workspace, tenant, workspace_id)

    async def workspaces(self, tenant, limit, after=None):
        return self._some(Workspace, tenant, limit, after)

    async def member(self, tenant, user_id):
        return await self._get(Member, tenant, user_id)

    async def members(self, tenant, limit, after=None):
        return self._some(Member, tenant, limit, after)

    async def was_member(self, tenant, email):
        return (tenant, email) in self._former

    async def invitation(self, tenant, invitation_id):
        return await self._get(Invitation, tenant, invitation_id)

    async def invitations(self, tenant, limit, after=None):
        return self._some(Invitation, tenant, limit, after)

    async def commit(self, tenant, writes):
        await self._let_others_go()
        recorded = [write for write in writes if isinstance(write, Put | Check | Remove)]
        if any(write.record.tenant != tenant for write in recorded):
            raise ValueError("A commit speaks of one tenant only.")
        for write in recorded:
            current = self.records.get(_key(write.record))
            if (0 if current is None else current.revision) != write.record.revision:
                raise ChangedMeanwhileError("changed")
        accounts = [write.user for write in writes if isinstance(write, Register)]
        if any(user.email in self.emails or user.user_id in self.users for user in accounts):
            raise EmailTakenError("taken")
        for user in accounts:
            self.users[user.user_id] = user
            self.emails[user.email] = user.user_id
        for write in recorded:
            if isinstance(write, Put):
                self.records[_key(write.record)] = replace(write.record, revision=write.record.revision + 1)
            elif isinstance(write, Remove):
                del self.records[_key(write.record)]
                if isinstance(write.record, Member):
                    self._former.add((write.record.tenant, write.record.email))
        self.events += [write.event for write in writes if isinstance(write, Note)]

    async def _get(self, kind, tenant, name):
        await self._let_others_go()
        return self.records.get((kind, tenant, name))

    async def _let_others_go(self):
        for _ in range(self._pauses()):
            await asyncio.sleep(0)

    def _some(self, kind, tenant, limit, after):
        names = sorted(
            name for found, of, name in self.records if (found, of) == (kind, tenant) and name > (after or "")
        )
        return [self.records[kind, tenant, name] for name in names[:limit]]


def _key(record):
    match record:
        case Tenant():
            return Tenant, record.tenant, ""
        case Workspace():
            return Workspace, record.tenant, record.workspace_id
        case Member():
            return Member, record.tenant, record.user_id
        case Invitation():
            return Invitation, record.tenant, record.invitation_id
