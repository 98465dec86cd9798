"""Rename a workspace (T1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import WorkspaceId
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import WorkspaceDescription
from shared.tenancy.requests import UpdateWorkspaceRequest


@operation(
    "PATCH /workspaces/{workspace_id}",
    permission=Permission.WORKSPACE_WRITE,
    rate_class=RateClass.WRITE,
    uses=[IDENTITY.read, IDENTITY.write],
)
async def update_workspace(
    workspace_id: WorkspaceId, request: UpdateWorkspaceRequest, caller: Caller, services: Services
) -> WorkspaceDescription:
    """Give a workspace another name.

    Raises: WorkspaceNotFoundError, ChangedMeanwhileError.
    """
    workspace = await services.tenancy.workspaces.rename(caller, workspace_id, request.name)
    return WorkspaceDescription.of(workspace)
