"""Say whether all that the API needs answers (U1)."""

from pydantic import BaseModel

from shared.composition.services import Services
from shared.operations.capabilities import METADATA, VECTORS
from shared.operations.declaration import RateClass, public_operation


class Readiness(BaseModel):
    """Every part behind the API answered just now."""

    status: str = "ready"
    parts: list[str]


@public_operation(
    "GET /ready",
    uses=[METADATA.read, VECTORS.search],
    across_tenants="it asks for what a tenant that does not exist has",
    rate_class=RateClass.NONE,
    memory_mb=512,
)
async def get_readiness(services: Services) -> Readiness:
    """Ask the metadata table and the chunk index for nothing, and say that they answered.

    Raises: NotReadyError naming the parts that did not.
    """
    return Readiness(parts=list(await services.check_readiness()))
