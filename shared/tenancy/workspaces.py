"""Workspaces: the parts of an organisation that knowledge bases belong to (T1)."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from shared.identity.caller import Caller
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId, WorkspaceId
from shared.kernel.pages import Page, PageToken, collect_page
from shared.tenancy.attempts import until_settled
from shared.tenancy.errors import (
    ChangedMeanwhileError,
    GrantBeyondCallerError,
    WorkspaceInUseError,
    WorkspaceNotFoundError,
)
from shared.tenancy.models import Workspace, default_workspace_of
from shared.tenancy.ports import Put, Remove, TenancyRepository, WorkspaceUse

_MISSING: Final = "There is no such workspace. List the workspaces to see what there is."


async def existing_workspace(records: TenancyRepository, tenant: TenantId, workspace_id: WorkspaceId) -> Workspace:
    """Return a workspace that is there. Raises: WorkspaceNotFoundError."""
    found = await records.workspace(tenant, workspace_id)
    if found is None:
        raise WorkspaceNotFoundError(_MISSING)
    return found


async def reached_workspace(records: TenancyRepository, caller: Caller, workspace_id: WorkspaceId) -> Workspace:
    """Return a workspace that is there and within the caller's reach. Raises: WorkspaceNotFoundError."""
    found = await existing_workspace(records, caller.tenant, workspace_id)
    if not caller.reaches(workspace_id):
        raise WorkspaceNotFoundError(_MISSING)
    return found


async def check_workspaces(
    records: TenancyRepository, tenant: TenantId, workspace_ids: Collection[WorkspaceId]
) -> None:
    """Accept workspaces that are all there. Raises: WorkspaceNotFoundError."""
    await asyncio.gather(*(existing_workspace(records, tenant, workspace_id) for workspace_id in workspace_ids))


@dataclass(frozen=True, slots=True)
class Workspaces:
    """The workspaces of organisations. What a caller does not reach looks missing."""

    records: TenancyRepository
    clock: Clock

    async def create(self, caller: Caller, workspace_id: WorkspaceId, name: str) -> Workspace:
        """Create a workspace; under an id that exists, return what is there.

        Raises: GrantBeyondCallerError for callers who are limited to some workspaces; WorkspaceNotFoundError when the
        workspace of that id was deleted meanwhile.
        """
        if caller.workspaces is not None:
            raise GrantBeyondCallerError(
                "These credentials are limited to some workspaces and would not reach a new one."
            )
        now = self.clock.now()
        created = Workspace(caller.tenant, workspace_id, name, now, now)
        try:
            await self.records.commit(caller.tenant, [Put(created)])
        except ChangedMeanwhileError:
            # Only a repeated request names an id that exists.
            return await existing_workspace(self.records, caller.tenant, workspace_id)
        return replace(created, revision=1)

    async def page(self, caller: Caller, limit: int, token: PageToken | None) -> Page[Workspace]:
        """List the workspaces that the caller reaches, in a stable order. Raises: InvalidPageTokenError."""
        return await collect_page(
            lambda count, after: self.records.workspaces(
                caller.tenant, count, None if after is None else WorkspaceId(after)
            ),
            lambda workspace: workspace.workspace_id,
            lambda workspace: caller.reaches(workspace.workspace_id),
            limit,
            token,
            (caller.tenant, "workspaces"),
        )

    async def choose(self, caller: Caller, named: WorkspaceId | None) -> WorkspaceId:
        """Return where something of the caller's goes: where they named, else the default workspace, or their only one.

        Raises: WorkspaceNotFoundError, also when they named none and have several that are not the default one.
        """
        default = default_workspace_of(caller.tenant)
        if named is None:
            if caller.reaches(default) or caller.workspaces is None:
                return default
            if len(caller.workspaces) != 1:
                raise WorkspaceNotFoundError("Name one of your workspaces. List them to see what there is.")
            (named,) = caller.workspaces
        # The default one is there by definition, also before an organisation is on record.
        if named != default or not caller.reaches(default):
            await reached_workspace(self.records, caller, named)
        return named

    async def rename(self, caller: Caller, workspace_id: WorkspaceId, name: str) -> Workspace:
        """Raises: WorkspaceNotFoundError, ChangedMeanwhileError."""

        async def attempt() -> Workspace:
            found = await reached_workspace(self.records, caller, workspace_id)
            changed = replace(found, name=name, updated_at=self.clock.now())
            await self.records.commit(caller.tenant, [Put(changed)])
            return replace(changed, revision=changed.revision + 1)

        return await until_settled(attempt)


@dataclass(frozen=True, slots=True)
class WorkspaceRemoval:
    """Deleting workspaces: apart, for it alone has to know what is in them."""

    records: TenancyRepository
    use: WorkspaceUse

    async def delete(self, caller: Caller, workspace_id: WorkspaceId) -> None:
        """Delete a workspace without knowledge bases; nothing can be put into it from then on.

        Raises: WorkspaceNotFoundError, WorkspaceInUseError, ChangedMeanwhileError.
        """
        if workspace_id == default_workspace_of(caller.tenant) and caller.reaches(workspace_id):
            raise WorkspaceInUseError("This workspace takes whatever names none. It stays; rename it as you like.")

        async def attempt() -> None:
            found = await reached_workspace(self.records, caller, workspace_id)
            if not await self.use.close(caller.tenant, workspace_id):
                raise WorkspaceInUseError("It has knowledge bases. Delete them, or move them to another workspace.")
            await self.records.commit(caller.tenant, [Remove(found)])

        await until_settled(attempt)
