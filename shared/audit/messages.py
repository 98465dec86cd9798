"""What is sent about accesses: their events, on their way to the log."""

from pydantic import BaseModel, ConfigDict, Field

from shared.audit.events import AuditEvent
from shared.kernel.ids import TenantId


class RecordAccesses(BaseModel):
    """Events of one tenant that are to be recorded; each may arrive several times, late, and in any order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: TenantId
    events: tuple[AuditEvent, ...] = Field(min_length=1)
