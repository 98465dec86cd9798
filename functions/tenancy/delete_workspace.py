"""Delete a workspace (T1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import WorkspaceId
from shared.operations.capabilities import IDENTITY, METADATA
from shared.operations.declaration import RateClass, operation


@operation(
    "DELETE /workspaces/{workspace_id}",
    permission=Permission.WORKSPACE_WRITE,
    rate_class=RateClass.WRITE,
    status=204,
    uses=[IDENTITY.read, IDENTITY.write, METADATA.write],
)
async def delete_workspace(workspace_id: WorkspaceId, caller: Caller, services: Services) -> None:
    """Delete a workspace that has no knowledge bases; the default one stays.

    Raises: WorkspaceNotFoundError, WorkspaceInUseError, ChangedMeanwhileError.
    """
    await services.tenancy.workspace_removal.delete(caller, workspace_id)
