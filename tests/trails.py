"""Where tests look for what the entry layer told of."""

from collections.abc import Callable
from dataclasses import dataclass, field

from shared.audit.events import AuditEvent
from shared.operations.declaration import Operation


@dataclass
class MemoryTrail:
    """Takes events, and keeps them; `refuses` is what it raises instead."""

    told: list[AuditEvent] = field(default_factory=list)
    refuses: Exception | None = None

    async def tell(self, event: AuditEvent) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.told.append(event)


def trails_in_memory() -> Callable[[Operation], MemoryTrail]:
    """Return a trail for every operation, the same for all."""
    trail = MemoryTrail()
    return lambda _: trail
