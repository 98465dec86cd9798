"""Organisations: what their owners see and change of them, and what those who run the deployment do (T1)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.identity.opaque_tokens import OpaqueToken
from shared.identity.permissions import Role
from shared.kernel.clock import Clock
from shared.kernel.ids import InvitationId, TenantId, UserId
from shared.kernel.pages import InvalidPageTokenError, Page, PageToken, collect_page
from shared.tenancy.attempts import until_settled
from shared.tenancy.errors import (
    ChangedMeanwhileError,
    InvalidOverrideError,
    OverrideNotFoundError,
    TenantNotFoundError,
    UnknownFigureError,
)
from shared.tenancy.figures import FIGURE_NAMES
from shared.tenancy.invitations import new_invitation, with_another_token
from shared.tenancy.models import (
    OPERATORS,
    Invitation,
    Override,
    Tenant,
    TenantPosition,
    TenantStatus,
    Workspace,
    default_workspace_of,
)
from shared.tenancy.plans import LATEST_VERSION, PlanName
from shared.tenancy.ports import Put, TenancyRepository, Write

DEFAULT_WORKSPACE_NAME: Final = "main"


def tenant_id_of(chosen: str) -> TenantId:
    """Return the organisation's id that an id of kind `tn` stands for: those have no underscore."""
    return TenantId(chosen.replace("_", "-"))


def new_tenant(tenant: TenantId, name: str, plan: str, now: datetime) -> tuple[Tenant, Workspace]:
    """Return an organisation that nobody owns yet, and its first workspace."""
    created = Tenant(tenant, name, now, now, plan=plan)
    return created, Workspace(tenant, default_workspace_of(tenant), DEFAULT_WORKSPACE_NAME, now, now)


async def existing_tenant(records: TenancyRepository, tenant: TenantId) -> Tenant:
    """Return an organisation that is there. Raises: TenantNotFoundError."""
    found = await records.tenant(tenant)
    if found is None:
        raise TenantNotFoundError("There is no such organisation.")
    return found


@dataclass(frozen=True, slots=True)
class Tenants:
    """Organisations as their members handle them."""

    records: TenancyRepository
    clock: Clock

    async def get(self, tenant: TenantId) -> Tenant:
        """Raises: TenantNotFoundError."""
        return await existing_tenant(self.records, tenant)

    async def rename(self, tenant: TenantId, name: str) -> Tenant:
        """Raises: TenantNotFoundError, ChangedMeanwhileError."""
        return await change_tenant(self.records, tenant, lambda found: replace(found, name=name), self.clock)


@dataclass(frozen=True, slots=True)
class Operating:
    """What those who run the deployment do with organisations: plans, figures, doors; never their data.

    Their own organisation is none of them: it has no plan, and closing it would lock everybody out.
    """

    records: TenancyRepository
    clock: Clock

    async def page(self, lister: TenantId, limit: int, token: PageToken | None) -> Page[Tenant]:
        """List organisations, oldest first; the newest may be missing. Raises: InvalidPageTokenError."""

        async def read(count: int, after: str | None) -> list[Tenant]:
            return await self.records.tenants(count, None if after is None else _position(after))

        return await collect_page(
            read,
            lambda tenant: str(TenantPosition(tenant.created_at, tenant.tenant)),
            lambda tenant: tenant.tenant != OPERATORS,
            limit,
            token,
            (lister, "tenants"),
        )

    async def create(
        self, tenant: TenantId, name: str, plan: PlanName, owner_email: str, by: UserId
    ) -> tuple[Tenant, Invitation, OpaqueToken]:
        """Create an organisation and invite its first owner; for one that exists, return it with another token.

        Raises: TenantNotFoundError when it exists and its invitation is gone; ChangedMeanwhileError.
        """
        now = self.clock.now()
        created, workspace = new_tenant(tenant, name, plan.value, now)
        invitation_id = InvitationId("inv_" + tenant.rpartition("-")[2])
        invitation, secret = new_invitation(tenant, invitation_id, owner_email, Role.OWNER, None, by, now)
        writes: list[Write] = [Put(created), Put(workspace), Put(invitation)]
        try:
            await self.records.commit(tenant, writes)
        except ChangedMeanwhileError:
            # Only a repeated request names an id that exists.
            existing = await existing_tenant(self.records, tenant)
            return existing, *await with_another_token(self.records, tenant, invitation_id)
        return replace(created, revision=1), replace(invitation, revision=1), secret

    async def set_plan(self, tenant: TenantId, plan: PlanName) -> Tenant:
        """Put an organisation on the latest version of a plan. Raises: TenantNotFoundError, ChangedMeanwhileError."""
        return await self._change(
            tenant, lambda found: replace(found, plan=plan.value, plan_version=LATEST_VERSION)
        )  # fmt: skip

    async def override(self, tenant: TenantId, figure: str, override: Override) -> Tenant:
        """Put one figure of one organisation in place of its plan's, until a date.

        Raises: UnknownFigureError, InvalidOverrideError, TenantNotFoundError, ChangedMeanwhileError.
        """
        if figure not in FIGURE_NAMES:
            raise UnknownFigureError(f"Plans have these figures: {', '.join(FIGURE_NAMES)}.")
        if override.expires_at <= self.clock.now():
            raise InvalidOverrideError("The override expires in the past. Give a later date, or remove it.")
        return await self._change(
            tenant, lambda found: replace(found, overrides={**found.overrides, figure: override})
        )  # fmt: skip

    async def remove_override(self, tenant: TenantId, figure: str) -> Tenant:
        """Return to the plan's figure. Raises: OverrideNotFoundError, TenantNotFoundError, ChangedMeanwhileError."""

        def without(found: Tenant) -> Tenant:
            if figure not in found.overrides:
                raise OverrideNotFoundError("This organisation has no such override.")
            return replace(found, overrides={name: o for name, o in found.overrides.items() if name != figure})

        return await self._change(tenant, without)

    async def suspend(self, tenant: TenantId) -> Tenant:
        """Let nobody of the organisation in; nothing of it is lost. Raises: TenantNotFoundError, ChangedMeanwhileError.
        """  # fmt: skip
        return await self._change(tenant, lambda found: replace(found, status=TenantStatus.SUSPENDED))

    async def resume(self, tenant: TenantId) -> Tenant:
        """Open a suspended organisation again. Raises: TenantNotFoundError, ChangedMeanwhileError."""
        return await self._change(tenant, lambda found: replace(found, status=TenantStatus.ACTIVE))

    async def _change(self, tenant: TenantId, change: Callable[[Tenant], Tenant]) -> Tenant:
        if tenant == OPERATORS:
            raise TenantNotFoundError("There is no such organisation.")
        return await change_tenant(self.records, tenant, change, self.clock)


def _position(after: str) -> TenantPosition:
    """Return where a page token says that the list goes on: anybody can make one up. Raises: InvalidPageTokenError."""
    try:
        return TenantPosition.read(after)
    except ValueError:
        raise InvalidPageTokenError("The page token belongs to another list. Start again without it.") from None


async def change_tenant(
    records: TenancyRepository, tenant: TenantId, change: Callable[[Tenant], Tenant], clock: Clock
) -> Tenant:
    """Write what `change` makes of an organisation's record. Raises: TenantNotFoundError, ChangedMeanwhileError."""

    async def attempt() -> Tenant:
        found = await existing_tenant(records, tenant)
        changed = replace(change(found), updated_at=clock.now())
        await records.commit(tenant, [Put(changed)])
        return replace(changed, revision=changed.revision + 1)

    return await until_settled(attempt)
