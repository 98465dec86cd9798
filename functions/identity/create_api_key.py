"""Create an API key for a machine (T2)."""

from shared.composition.services import Services
from shared.identity.api_key_bodies import CreateApiKeyRequest, CreatedApiKey
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import ApiKeyId, IdempotencyKey
from shared.operations.capabilities import IDENTITY, METADATA
from shared.operations.declaration import RateClass, operation


@operation(
    "POST /api-keys",
    permission=Permission.API_KEY_WRITE,
    rate_class=RateClass.WRITE,
    status=201,
    sets=["permissions"],
    uses=[IDENTITY.read, IDENTITY.write, METADATA.write],
)
async def create_api_key(
    request: CreateApiKeyRequest,
    caller: Caller,
    services: Services,
    idempotency_key: IdempotencyKey | None = None,
) -> CreatedApiKey:
    """Create an API key that acts for the caller, within what the caller may do, and show it this once.

    A key never may do more than its creator may at the moment of its use, and ends with the creator's membership. Keys
    cannot have permissions that give access or look at it. Repeated with the same Idempotency-Key, it answers with
    the same key and one more secret that opens it, since the first may have been lost.

    Raises: PermissionNotGrantableError, WorkspaceNotGrantableError, UnfitLifetimeError, SecretShownError,
    IdempotencyKeyReusedError.
    """
    key_id = await services.repeated_requests.choose_id(caller, "key", idempotency_key, request.model_dump_json())
    key, token = await services.authentication.api_keys.create(
        caller,
        ApiKeyId(key_id),
        request.name,
        request.wanted_permissions(),
        workspaces=request.wanted_workspaces(),
        expires_at=request.expires_at,
    )
    return CreatedApiKey.of(key, token)
