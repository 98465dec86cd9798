"""Organisations and members written straight into the identity table, as sign-up and invitations would leave them.

Tests need many of them, and would wait for the hashing of passwords.
"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.identity.permissions import Role
from shared.kernel.clock import SystemClock
from shared.kernel.ids import TenantId, UserId, WorkspaceId
from shared.tenancy.models import OPERATORS, Member
from shared.tenancy.owners import with_owner
from shared.tenancy.plans import PlanName
from shared.tenancy.ports import Put, Write
from shared.tenancy.tenants import new_tenant
from tests.canaries import canary_of


@dataclass(frozen=True)
class Enrolment:
    """Makes each organisation and each member on first use."""

    records: DynamoTenancy
    known: set[tuple[str, str, Role]] = field(default_factory=set)

    def enrol(
        self, tenant: str, user: str, role: Role, workspaces: frozenset[WorkspaceId] | None = None
    ) -> None:  # fmt: skip
        """See to it that `user` belongs to `tenant` as `role`; both are made if need be."""
        # All tests share the operators, and some of those leave or are dismissed.
        if tenant == OPERATORS or (tenant, user, role) not in self.known:
            self._run(self._enrol(TenantId(tenant), UserId(user), role, workspaces))
            self.known.add((tenant, user, role))

    async def _enrol(
        self, tenant: TenantId, user: UserId, role: Role, workspaces: frozenset[WorkspaceId] | None
    ) -> None:  # fmt: skip
        now = SystemClock().now()
        found, before = await self.records.tenant(tenant), await self.records.member(tenant, user)
        if before is not None and (before.role, before.workspaces) == (role, workspaces):
            return
        writes: list[Write] = []
        if found is None:
            found, place = new_tenant(tenant, tenant, PlanName.ENTERPRISE, now)
            writes.append(Put(place))
        writes.append(Put(with_owner(found, user, now) if role is Role.OWNER else found))
        if before is None:
            member = Member(
                tenant, user, role, f"{user}@people.example", f"{user} {canary_of(tenant)}", now, now, workspaces
            )
        else:
            member = replace(before, role=role, workspaces=workspaces)
        await self.records.commit(tenant, [*writes, Put(member)])

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        # A thread of its own, since the caller's may have an event loop running.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, work).result()
