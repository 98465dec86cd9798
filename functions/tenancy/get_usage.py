"""See how much of an organisation's limits is used (T1, T4)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.limits.descriptions import HoldingUse, UsageDescription, describe_quotas
from shared.operations.capabilities import METADATA
from shared.operations.declaration import RateClass, operation


@operation("GET /usage", permission=Permission.TENANT_READ, rate_class=RateClass.READ, uses=[METADATA.read])
async def get_usage(caller: Caller, services: Services) -> UsageDescription:
    """Say how much of each limit of the caller's plan is used, how much is left, and when it comes back.

    Requests count while they run: this one is among the API calls.

    Raises: LimitsUnavailableError while nobody can count.
    """
    figures = caller.figures
    tally, line = await services.catalogue.holdings(caller.tenant)
    return UsageDescription(
        quotas=describe_quotas(await services.limits.usage(caller.tenant, figures)),
        holdings={
            "knowledge_bases": HoldingUse(limit=figures.knowledge_bases, used=tally.knowledge_bases),
            "storage_bytes": HoldingUse(limit=figures.storage_bytes, used=tally.bytes),
            "concurrent_documents": HoldingUse(limit=figures.concurrent_documents, used=line.processing),
        },
    )
