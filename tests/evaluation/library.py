"""A whole Tessera in this process for one evaluation: emulator, queues, functions, and one knowledge base (K13).

Files go in through the bucket, its events and the queue consumers that a deployment has; questions through the services
that its HTTP functions call.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.adapters.minilm.build_model import build_model
from shared.composition.services import Services
from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId
from shared.knowledge.config import KnowledgeBaseConfig
from shared.knowledge.descriptions import DocumentDescription
from shared.knowledge.keys import document_id_of, prefix_of
from shared.operations.capabilities import IDENTITY, UPLOADS, VECTORS
from shared.operations.grants import Grants
from shared.operations.registry import all_operations
from shared.operations.tenants import within
from shared.retrieval.query import SearchQuery
from shared.retrieval.search import SearchResult
from shared.tenancy.models import Tenant
from shared.tenancy.plans import PlanName, figures_of
from shared.tenancy.ports import Put
from tests.ingestion.cloud import MODEL, Cloud, running_cloud
from tests.ingestion.functions import Functions
from tests.opensearch_server import running_node
from tests.records import acting_as_test, transactions_of

STORES: Final = ("sqlite", "opensearch")
TENANT: Final = TenantId("evaluation")

_DROPPED_AT_ONCE: Final = 40


@dataclass(frozen=True)
class Library:
    """One knowledge base of one tenant. `services` may do whatever any function may."""

    cloud: Cloud
    services: Services
    kb_id: KnowledgeBaseId

    async def add(self, files: Mapping[str, bytes]) -> dict[str, DocumentDescription]:
        """Drop files into the bucket and work off every queue; return the document that each became, by its name."""
        names = list(files)
        functions = Functions(self.cloud)
        for first in range(0, len(names), _DROPPED_AT_ONCE):
            some = names[first : first + _DROPPED_AT_ONCE]
            await asyncio.to_thread(self._drop, {name: files[name] for name in some})
            await functions.work_off()
        with within(TENANT):
            return {
                name: await self.services.catalogue.document(TENANT, self.kb_id, self.document_id_of(name))
                for name in names
            }

    async def search(self, query: SearchQuery) -> SearchResult:
        with within(TENANT):
            return await self.services.retrieval.search(TENANT, self.kb_id, query)

    def document_id_of(self, name: str) -> DocumentId:
        """Return the id of the document that a file of this name becomes."""
        return document_id_of(self._key(name))

    def _drop(self, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            self.cloud.s3.put_object(Bucket=self.cloud.address_of(UPLOADS), Key=self._key(name), Body=content)

    def _key(self, name: str) -> str:
        return prefix_of(TENANT, self.kb_id) + name


@asynccontextmanager
async def open_library(store: str = "sqlite", config: KnowledgeBaseConfig | None = None) -> AsyncIterator[Library]:
    """Start all that is needed on loopback, create an empty knowledge base, and end and remove it all afterwards."""
    build_model(MODEL)
    with tempfile.TemporaryDirectory(prefix="tessera-evaluation-", ignore_cleanup_errors=True) as folder:
        async with _vectors(store) as address, _cloud(Path(folder) / "cloud") as cloud:
            cloud.variables[VECTORS.variable] = address
            services = Services(
                Grants([use for found in all_operations() for use in found.capabilities]), cloud.settings
            )
            acting_as_test(services, cloud)
            await _register(cloud)
            with within(TENANT):
                base = await services.knowledge_bases.create(
                    TENANT, "Evaluation", figures_of(PlanName.ENTERPRISE), config=config or KnowledgeBaseConfig()
                )
            yield Library(cloud, services, base.kb_id)


async def _register(cloud: Cloud) -> None:
    """Give the tenant the largest plan: the sets have more documents than a small one allows."""
    now = datetime.now(UTC)
    tenant = Tenant(
        tenant=TENANT, name="Evaluation", created_at=now, updated_at=now, plan=PlanName.ENTERPRISE
    )  # fmt: skip
    await DynamoTenancy(transactions_of(cloud), cloud.address_of(IDENTITY)).commit(TENANT, [Put(tenant)])


@asynccontextmanager
async def _cloud(folder: Path) -> AsyncIterator[Cloud]:
    """Make a cloud in a thread, for parts of it are made in a loop of their own."""
    opening = running_cloud(folder)
    cloud = await asyncio.to_thread(opening.__enter__)
    try:
        yield cloud
    finally:
        await asyncio.to_thread(opening.__exit__, None, None, None)


@asynccontextmanager
async def _vectors(store: str) -> AsyncIterator[str]:
    """Give the address of the chunk index: the embedded one, or a real node (the environment may name one)."""
    if store == "sqlite":
        yield "sqlite"
        return
    node = running_node()
    try:
        yield await asyncio.to_thread(node.__enter__)
    finally:
        await asyncio.to_thread(node.__exit__, None, None, None)
