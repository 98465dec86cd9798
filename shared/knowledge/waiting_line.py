"""Who is processed next: each tenant has a waiting line, and as many places as its plan allows (T1, T4).

What waits stands in a record, not in a queue: queues hold messages only of documents that have a place, so no tenant's
flood stands before another tenant's file, and waiting uses up neither deliveries nor attempts.
"""

from typing import Final

from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId
from shared.knowledge.errors import NoPlaceError, StaleWriteError
from shared.knowledge.lifecycle import begin, drop_work
from shared.knowledge.messages import parse_of
from shared.knowledge.models import Ticket
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import DocumentRepository, WorkQueue
from shared.knowledge.settlement import Settled, Settlement

_ROUNDS: Final = 30
_AT_ONCE: Final = 10


class WaitingLine:
    """Gives free places to those who wait, longest waiting first."""

    def __init__(self, records: DocumentRepository, queue: WorkQueue, clock: Clock, policy: IngestionPolicy) -> None:
        self._records = records
        self._queue = queue
        self._clock = clock
        self._settlement = Settlement(records, clock, policy)

    async def follow(self, settled: Settled) -> None:
        """Go on after a commit that gave a place back or made somebody wait.

        Who is killed before this leaves a place empty until the line is due; then the schedule fills it.
        """
        if settled.moves_line:
            await self.fill(settled.document.tenant)

    async def fill(self, tenant: TenantId) -> None:
        """Start whoever waits while there are places; doing it twice, or at the same time, changes nothing."""
        for _ in range(_ROUNDS):
            line = await self._records.line(tenant)
            free = min(line.places - line.processing, line.waiting, _AT_ONCE)
            if free <= 0:
                return
            for ticket in await self._records.waiting(tenant, free):
                await self._start(tenant, ticket)

    async def _start(self, tenant: TenantId, ticket: Ticket) -> None:
        kb = await self._records.knowledge_base(tenant, ticket.kb_id)
        document = await self._records.document(tenant, ticket.kb_id, ticket.document_id)
        if kb is None or document is None or document.work is None or document.work.ticket != ticket.place:
            return  # it left the line since we looked
        now = self._clock.now()
        after = begin(document, now) if kb.deleted_at is None else drop_work(document, now)
        try:
            settled = await self._settlement.settle(kb, document, after)
        except (NoPlaceError, StaleWriteError):
            return  # somebody was faster
        if settled.document.is_in_process:
            await self._queue.send([parse_of(settled.document)])
