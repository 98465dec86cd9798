"""Say that the API answers (U1)."""

from pydantic import BaseModel

from shared.operations.declaration import RateClass, public_operation


class Health(BaseModel):
    """The process runs and routes requests; nothing behind it was asked."""

    status: str = "ok"


@public_operation("GET /health", rate_class=RateClass.NONE)
async def get_health() -> Health:
    """Answer without asking anything else: the process is alive."""
    return Health()
