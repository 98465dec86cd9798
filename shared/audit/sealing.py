"""How waiting events get into the chain of their tenant, each exactly once, however many do it at the same time (T7).

Block, head and the marks of the events are written in one transaction under the condition that the head is the one that
the block was made for, so two sealers never both succeed, and one that is killed leaves nothing behind. Nothing is
sealed behind a head that the last block proves wrong: it would break the chain for good, and a head can be mended.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import timedelta
from operator import attrgetter
from typing import ClassVar, Final

from shared.audit.chain import MOST_EVENTS, Link, make_block
from shared.audit.events import AuditEvent
from shared.audit.heads import DamagedHeadError, HeadReader
from shared.audit.ports import SealingOutcome, SealingStore, UnreadableBlockError
from shared.audit.rounds import Rounds
from shared.kernel.clock import Clock
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId
from shared.telemetry.ports import Telemetry
from shared.telemetry.silent import SilentTelemetry

LEFT_OVER_AFTER: Final = timedelta(minutes=1)
"""Events that wait so long have been missed by the stream, or their sealer has died."""

_MOST_BLOCKS: Final = 200
"""In one call, which must end before its function does; what is left is sealed by the next one."""

_TRIES: Final = 40
_LONGEST_PAUSE_S: Final = 0.5

WAITING: Final = "audit_events_waiting"
"""How many recorded events are in no chain yet."""
OLDEST_WAITING: Final = "audit_oldest_waiting"
"""Since when the oldest of them waits, in milliseconds; 0 when none does."""
DAMAGED: Final = "audit_head_damaged"
"""Looks that ended at a head which somebody changed."""

_log = logging.getLogger("tessera.audit")


class SealingCollisionError(TesseraError):
    """Others kept sealing the log of this tenant; what they left is sealed by the next look."""

    code: ClassVar[str] = "audit-sealing-collided"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("Others kept sealing this audit log. What they left is sealed by the next look.")


class Sealing:
    """Seals the events of tenants."""

    def __init__(
        self,
        store: SealingStore,
        clock: Clock,
        telemetry: Telemetry | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry or SilentTelemetry()
        self._jitter = jitter
        self._heads = HeadReader(store, jitter)
        self._rounds: Rounds[TenantId, int] = Rounds(self._seal_waiting)

    async def seal(self, tenant: TenantId) -> int:
        """Seal what waits, or some of it if it is very much; return how many events that were.

        Calls at the same time share one look, which begins after the last of them. Raises: SealingCollisionError,
        DamagedHeadError, UnreadableBlockError.
        """
        return await self._rounds.run(tenant)

    async def seal_if_sound(self, tenant: TenantId) -> int:
        """As `seal`, for whoever is told of each new event: it leaves a log whose head is damaged alone.

        Being told again would mend nothing, and keep others waiting. Whoever seals what is left over says so.
        """
        try:
            return await self.seal(tenant)
        except (DamagedHeadError, UnreadableBlockError) as error:
            self._telemetry.count(DAMAGED)
            _log.warning("events wait: the head of their log is damaged", extra={"tenant": tenant}, exc_info=error)
            return 0

    async def tenants_left_over(self) -> list[TenantId]:
        """Return tenants whose events have waited for more than `LEFT_OVER_AFTER`; tell how much waits, and how long.

        Both as far as the store looks: where very much waits it may be more.
        """
        now = self._clock.now()
        waiting = await self._store.waiting()
        self._telemetry.count(WAITING, waiting.events)
        oldest_at = min(waiting.since_by_tenant.values(), default=now)
        self._telemetry.duration(OLDEST_WAITING, max(0.0, (now - oldest_at) / timedelta(milliseconds=1)))
        return [tenant for tenant, since in waiting.since_by_tenant.items() if since < now - LEFT_OVER_AFTER]

    async def _seal_waiting(self, tenant: TenantId) -> int:
        head, sealed, last = await self._heads.place(tenant), 0, None
        for _ in range(_MOST_BLOCKS):
            waiting = await self._store.pending(tenant, MOST_EVENTS, last)
            if not waiting:
                break
            # The listing may be late, so the next page begins behind this one rather than at what seems to wait.
            last = waiting[-1]
            head, count = await self._seal_page(tenant, head, waiting)
            sealed += count
        return sealed

    async def _seal_page(self, tenant: TenantId, head: Link, events: list[AuditEvent]) -> tuple[Link, int]:
        """Seal those of `events` that nobody else seals; return the head then, and how many they were."""
        events = sorted(events, key=attrgetter("event_id"))
        for attempt in range(_TRIES):
            if not events:
                return head, 0
            block = make_block(tenant, head, events)
            outcome = await self._store.seal(block, events)
            if outcome is SealingOutcome.SEALED:
                return block.end, len(events)
            if outcome is SealingOutcome.OVERTAKEN:
                await asyncio.sleep(min(_LONGEST_PAUSE_S, 0.01 * 2**attempt) * self._jitter())
                head = await self._heads.place(tenant)
            events = await self._store.still_pending(tenant, events)
        raise SealingCollisionError
