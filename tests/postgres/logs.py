"""Sealed logs without their store: what the projection reads, and what it marks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters.postgres.audit_read_model import PostgresAuditReadModel
from shared.adapters.postgres.database import Database
from shared.audit.chain import Block, Link, UnreadableBlock, genesis, make_block
from shared.audit.events import AuditEvent
from shared.audit.projection import AuditProjection, continued
from shared.audit.read_model import AuditFilter, SealedEvent
from shared.kernel.ids import TenantId
from shared.operations.capabilities import DATABASE
from tests.ambient import reaching_all
from tests.audit.samples import event
from tests.ingestion.cloud import Cloud

EVERYTHING = AuditFilter()


@dataclass
class SealedLogs:
    """Implements `BlockReader` and `UnprojectedHeads`, for tests that seal by hand."""

    of_tenant: dict[TenantId, list[Block]] = field(default_factory=dict)
    waiting: set[TenantId] = field(default_factory=set)
    reads: int = 0

    def seal(self, tenant: TenantId, events: list[AuditEvent], in_block: int = 90) -> None:
        blocks = self.of_tenant.setdefault(tenant, [])
        for start in range(0, len(events), in_block):
            place = blocks[-1].end if blocks else genesis(tenant)
            blocks.append(make_block(tenant, place, events[start : start + in_block]))
        self.waiting.add(tenant)

    async def head(self, tenant: TenantId) -> Link | None:
        blocks = self.of_tenant.get(tenant)
        return blocks[-1].end if blocks else None

    async def blocks_after(self, tenant: TenantId, seq: int, limit: int) -> list[Block]:
        self.reads += 1
        return [block for block in self.of_tenant.get(tenant, []) if block.first_seq > seq][:limit]

    async def stored_after(self, tenant: TenantId, seq: int, limit: int) -> list[Block | UnreadableBlock]:
        return list(await self.blocks_after(tenant, seq, limit))

    async def unprojected(self, before: datetime) -> list[TenantId]:
        return sorted(self.waiting)

    async def mark_projected(self, tenant: TenantId, place: Link) -> None:
        if await self.head(tenant) == place:
            self.waiting.discard(tenant)


def projection(logs: SealedLogs, database: Database) -> AuditProjection:
    """Return a projection that remembers nothing, as if in a process of its own."""
    return AuditProjection(logs, PostgresAuditReadModel(database), logs)


async def copied(database: Database, tenant: TenantId, wanted: AuditFilter = EVERYTHING) -> list[SealedEvent]:
    """Return all that can be found of a tenant's log, oldest first."""
    with reaching_all():
        found = await PostgresAuditReadModel(database).newest(tenant, wanted, 100_000)
    return found[::-1]


async def copy_events(
    cloud: Cloud, tenant: str, *differing: Mapping[str, Any], since: datetime | None = None
) -> list[SealedEvent]:
    """Put events an hour apart behind what a tenant's searchable copy has, one for each of `differing`."""
    name, begin = TenantId(tenant), since or datetime.now(UTC) - timedelta(days=1)
    database = Database(cloud.address_of(DATABASE))
    try:
        with reaching_all():
            model = PostgresAuditReadModel(database)
            place = await model.last(name) or genesis(name)
            events = [event(name, begin + timedelta(hours=hour), **one) for hour, one in enumerate(differing)]
            sealed = continued(place, [make_block(name, place, events)])
            assert await model.append(name, place, sealed)
        return sealed
    finally:
        database.close()
