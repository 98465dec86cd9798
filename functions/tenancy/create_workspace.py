"""Create a workspace (T1)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import IdempotencyKey, WorkspaceId
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import WorkspaceDescription
from shared.tenancy.requests import CreateWorkspaceRequest


@operation(
    "POST /workspaces",
    permission=Permission.WORKSPACE_WRITE,
    rate_class=RateClass.WRITE,
    status=201,
    uses=[IDENTITY.read, IDENTITY.write],
)
async def create_workspace(
    request: CreateWorkspaceRequest, caller: Caller, services: Services, idempotency_key: IdempotencyKey | None = None
) -> WorkspaceDescription:
    """Create a workspace. Repeated with the same Idempotency-Key, it answers with the same one.

    Raises: GrantBeyondCallerError, WorkspaceNotFoundError, IdempotencyKeyReusedError.
    """
    workspace_id = await services.tenancy.repeated_requests.choose_id(
        caller, "ws", idempotency_key, request.model_dump_json()
    )
    workspace = await services.tenancy.workspaces.create(caller, WorkspaceId(workspace_id), request.name)
    return WorkspaceDescription.of(workspace)
