"""Override one figure of one organisation (T1)."""

from shared.composition.services import Services
from shared.identity.permissions import Permission
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import TenantDescription
from shared.tenancy.models import Override
from shared.tenancy.requests import FigurePath, OverrideFigureRequest, TenantPath


@operation(
    "PUT /tenants/{tenant_id}/overrides/{figure}",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.WRITE,
    uses=[IDENTITY.read, IDENTITY.write],
)
async def override_figure(
    tenant_id: TenantPath, figure: FigurePath, request: OverrideFigureRequest, services: Services
) -> TenantDescription:
    """Put a value in place of the plan's, until a moment; it holds within a minute.

    Raises: UnknownFigureError, InvalidOverrideError, TenantNotFoundError, ChangedMeanwhileError.
    """
    override = Override(request.value, request.expires_at)
    tenant = await services.tenancy.operating.override(tenant_id, figure, override)
    return TenantDescription.of(tenant, services.tenancy.clock.now())
