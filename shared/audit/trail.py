"""Where the entry layer leaves what it saw: buffered by a queue, and written at once where that cannot take it (T7)."""

import logging
from typing import ClassVar

from shared.audit.events import AuditEvent
from shared.audit.messages import RecordAccesses
from shared.audit.ports import AccessQueue, EventRecorder
from shared.kernel.errors import Kind, TesseraError

_log = logging.getLogger("tessera.audit")


class AuditUnavailableError(TesseraError):
    """What was asked cannot be noted, so it is not answered: nothing is read unaudited."""

    code: ClassVar[str] = "audit-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    retry_after_s: ClassVar[float] = 5

    def __init__(self) -> None:
        super().__init__("The audit log cannot take what you asked for at the moment. Send the request again.")


class AccessTrail:
    """Takes events of accesses and refusals, none of which has an effect to stand beside."""

    def __init__(self, queue: AccessQueue, recorder: EventRecorder) -> None:
        self._queue = queue
        self._recorder = recorder

    async def tell(self, event: AuditEvent) -> None:
        """Return once the event cannot be lost any more. Raises: AuditUnavailableError."""
        try:
            await self._queue.send(RecordAccesses(tenant=event.tenant, events=(event,)))
        except Exception as error:  # noqa: BLE001 - whatever keeps the queue from taking it, the log itself may
            _log.warning("access queue failed", extra={"operation": event.operation}, exc_info=error)
            await self._record(event)

    async def _record(self, event: AuditEvent) -> None:
        try:
            await self._recorder.record(event.tenant, [event])
        except Exception as error:
            raise AuditUnavailableError from error
