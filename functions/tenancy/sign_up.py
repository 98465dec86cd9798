"""Sign up with a new organisation (T1)."""

from shared.composition.services import Services
from shared.kernel.bodies import Description
from shared.kernel.ids import IdempotencyKey, UserId
from shared.operations.capabilities import ACCOUNTS, CELL_REGISTRY, CELLS, IDENTITY, SIGN_UP
from shared.operations.declaration import RateClass, public_operation
from shared.tenancy.descriptions import TenantDescription
from shared.tenancy.requests import SignUpRequest
from shared.tenancy.strangers import stranger_of_email
from shared.tenancy.tenants import tenant_id_of


class SignedUp(Description):
    """A new organisation and its owner, who can sign in now."""

    tenant: TenantDescription
    user_id: UserId


@public_operation(
    "POST /sign-ups",
    rate_class=RateClass.SIGN_IN,
    status=201,
    uses=[
        IDENTITY.read,
        IDENTITY.write,
        SIGN_UP,
        ACCOUNTS.read,
        ACCOUNTS.write,
        CELLS.read,
        CELLS.write,
        CELL_REGISTRY.read,
        CELL_REGISTRY.write,
    ],
    across_tenants="the organisation does not exist yet",
    memory_mb=512,
    timeout_s=10,
)
async def sign_up(
    request: SignUpRequest, services: Services, idempotency_key: IdempotencyKey | None = None
) -> SignedUp:
    """Create an organisation on the starter plan, its first workspace, and the account of its owner.

    Repeated with the same Idempotency-Key, it answers with the same organisation.

    Raises: SignUpClosedError, WeakPasswordError, EmailTakenError, IdempotencyKeyReusedError.
    """
    # No trace of the password is kept but its slow hash.
    asked_for = request.model_dump_json(exclude={"password"})
    chosen = await services.tenancy.repeated_requests.choose_id(
        stranger_of_email(request.email), "tn", idempotency_key, asked_for
    )
    tenant, user_id = await services.tenancy.sign_ups.sign_up(
        tenant_id_of(chosen), request.organisation_name, request.to_person()
    )
    await services.cells.place(tenant.tenant)
    return SignedUp(tenant=TenantDescription.of(tenant, services.tenancy.clock.now()), user_id=user_id)
