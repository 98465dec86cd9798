"""Connect an organisation to its identity provider (T2)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.oidc_bodies import CreateIdentityProviderRequest, IdentityProviderDescription
from shared.identity.permissions import Permission
from shared.kernel.ids import IdempotencyKey, IdentityProviderId
from shared.operations.capabilities import CREDENTIALS_KEY, IDENTITY, INTERNET, METADATA
from shared.operations.declaration import RateClass, operation


@operation(
    "POST /identity-providers",
    permission=Permission.IDENTITY_PROVIDER_WRITE,
    rate_class=RateClass.WRITE,
    status=201,
    sets=["default_role"],
    uses=[IDENTITY.read, IDENTITY.write, METADATA.write, CREDENTIALS_KEY.seal, INTERNET],
    timeout_s=15,
)
async def create_identity_provider(
    request: CreateIdentityProviderRequest,
    caller: Caller,
    services: Services,
    idempotency_key: IdempotencyKey | None = None,
) -> IdentityProviderDescription:
    """Connect the caller's organisation to an OpenID provider, after asking the provider itself whether all fits.

    Its answer shows the redirect addresses to register there. The client secret is sealed and never shown again.
    Repeated with the same Idempotency-Key, it answers with the same connection.

    Raises: UnfitIdentityProviderError, also when the provider does not answer; IdentityProviderLimitError,
    GrantBeyondCallerError, IdempotencyKeyReusedError.
    """
    asked_for = request.model_dump_json()
    provider_id = await services.repeated_requests.choose_id(caller, "idp", idempotency_key, asked_for)
    provider = await services.oidc.connecting.create(caller, IdentityProviderId(provider_id), request.to_connection())
    return IdentityProviderDescription.of(provider)
