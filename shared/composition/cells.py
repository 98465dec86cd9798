"""Cells of chunks, of one function: where each tenant is, and its moves; each part is built when first asked for."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.cells.errors import CellNotFoundError
from shared.cells.models import Cell, CellId
from shared.cells.places import cell_of, has_own_index, place_in
from shared.composition.settings import Settings
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId
from shared.kernel.tenants import AdmittedTenant
from shared.operations.capabilities import CELL_REGISTRY, CELLS, IDENTITY, VECTORS
from shared.operations.grants import Grants
from shared.operations.vector_cells import VectorCell
from shared.telemetry.ports import Telemetry

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

    from shared.adapters.cells.chunk_cell import ChunkCells
    from shared.adapters.cells.routed_index import RoutedChunkIndex
    from shared.adapters.dynamodb.cell_gates import DynamoErasures, DynamoGates
    from shared.adapters.dynamodb.cell_registry import DynamoCellRegistry
    from shared.adapters.dynamodb.placements import DynamoPlacements
    from shared.cells.descriptions import CellDescription
    from shared.cells.directory import TenantDirectory
    from shared.cells.membership import CellMembership
    from shared.cells.observing import CellObserver, CellProbe
    from shared.cells.rebalancing import Rebalancer
    from shared.cells.tenant_moves import TenantMoves
    from shared.composition.adapters import Adapters
    from shared.retrieval.chunk_stores import ChunkStore

_log = logging.getLogger("tessera.cells")

TENANTS_AT_ONCE: Final = 500

EMBEDDED: Final = "sqlite"
"""The address of a cell that is a file beside the local cloud."""


@dataclass(frozen=True)
class Stores:
    """The chunk stores of a deployment, by place; each is opened when it is first asked for."""

    settings: Settings
    opened: dict[CellId, "ChunkStore"] = field(default_factory=dict)
    clients: dict[str, "OpenSearch"] = field(default_factory=dict)

    def of(self, place: CellId) -> "ChunkStore":
        """Raises: CellNotFoundError."""
        if place not in self.opened:
            cell = self._cell(place)
            self.opened[place] = self._own_indexes(cell) if has_own_index(place) else self._open(cell, None)
        return self.opened[place]

    def probe_of(self, cell_id: CellId) -> "CellProbe":
        """Raises: CellNotFoundError."""
        cell = self._cell(cell_id)
        if cell.address == EMBEDDED:
            from shared.adapters.sqlite.load import SqliteLoad

            return SqliteLoad(self._file(cell, ""))
        from shared.adapters.opensearch.load import OpenSearchLoad

        return OpenSearchLoad(self._client(cell))

    def _own_indexes(self, cell: VectorCell) -> "ChunkStore":
        from shared.adapters.cells.own_indexes import OwnIndexes

        return OwnIndexes(lambda tenant: self._open(cell, tenant))

    def _open(self, cell: VectorCell, tenant: AdmittedTenant | None) -> "ChunkStore":
        """Open what all tenants of a cell share, or the index of one alone."""
        # Of the tenant a digest: what names of tenants may hold, names of files and indexes may not.
        own = "" if tenant is None else f"-own-{hashlib.sha256(tenant.encode()).hexdigest()[:32]}"
        if cell.address == EMBEDDED:
            from shared.adapters.sqlite.chunk_index import SqliteChunkIndex

            return SqliteChunkIndex(self._file(cell, own))
        from shared.adapters.minilm.model import DIMENSIONS, MODEL_ID
        from shared.adapters.opensearch.chunk_index import OpenSearchChunkIndex
        from shared.adapters.opensearch.layout import IndexLayout

        layout = IndexLayout(
            f"{cell.index_prefix}-{MODEL_ID}{own}",
            DIMENSIONS,
            shards=1 if own else 2,
            replicas=self.settings.index_replicas,
            tenant=tenant,
        )
        return OpenSearchChunkIndex(self._client(cell), layout)

    def _file(self, cell: VectorCell, own: str) -> Path:
        further = "" if cell == self.settings.home_cell else f"-{cell.id}"
        return self.settings.local_folder / f"vectors{further}{own}.sqlite"

    def _client(self, cell: VectorCell) -> "OpenSearch":
        from shared.adapters.opensearch.client import connect

        address = cell.address or self.settings.address_of(VECTORS)
        if address not in self.clients:
            self.clients[address] = connect(address, cell.region)
        return self.clients[address]

    def _cell(self, place: CellId) -> VectorCell:
        wanted = cell_of(place)
        for cell in self.settings.cells:
            if cell.id == wanted:
                return cell
        raise CellNotFoundError(wanted)


@dataclass(frozen=True)
class AllTenants:
    """Implements `Everybody`: whoever has an organisation."""

    adapters: "Adapters"
    settings: Settings

    async def tenants(self) -> AsyncIterator[TenantId]:
        from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
        from shared.tenancy.models import TenantPosition

        records = DynamoTenancy(self.adapters.transactions, self.settings.address_of(IDENTITY))
        after: TenantPosition | None = None
        while page := await records.tenants(TENANTS_AT_ONCE, after):
            for tenant in page:
                yield tenant.tenant
            after = TenantPosition(page[-1].created_at, page[-1].tenant)


@dataclass(frozen=True)
class Cells:
    """Where tenants' chunks are."""

    adapters: "Adapters"
    settings: Settings
    grants: Grants
    clock: Clock
    telemetry: Telemetry

    @cached_property
    def stores(self) -> Stores:
        return Stores(self.settings)

    @cached_property
    def home(self) -> CellId:
        """The cell of every tenant that was never placed."""
        return CellId(self.settings.home_cell.id)

    @cached_property
    def chunk_index(self) -> "RoutedChunkIndex":
        from shared.adapters.cells.routed_index import RoutedChunkIndex

        self.grants.require_any(VECTORS.search, VECTORS.write)
        return RoutedChunkIndex(self.stores, self.placements, self._gates, self._erasures, self.clock, self.home)

    @cached_property
    def placements(self) -> "DynamoPlacements":
        """Where each tenant is."""
        self.grants.require(CELLS.read)
        return self.listed_placements

    @cached_property
    def listed_placements(self) -> "DynamoPlacements":
        """How many tenants are where."""
        from shared.adapters.dynamodb.placements import DynamoPlacements

        return DynamoPlacements(self.adapters.transactions, self.settings.address_of(CELLS), self.home)

    @cached_property
    def moves(self) -> "TenantMoves":
        from shared.cells.moving import TenantMover
        from shared.cells.tenant_moves import LONGEST_LIFE, PAGE, TenantMoves

        mover = TenantMover(self.placements, self._movable, self.clock, PAGE, LONGEST_LIFE)
        return TenantMoves(self.placements, mover, self.clock, self._known, self.home, self._registry)

    @cached_property
    def membership(self) -> "CellMembership":
        """Cells that are to be emptied or filled."""
        from shared.cells.membership import CellMembership

        self.grants.require(CELL_REGISTRY.write)
        return CellMembership(self._registry, self.clock)

    @cached_property
    def rebalancer(self) -> "Rebalancer":
        """Begins the moves that follow from that."""
        from shared.cells.census import CensusTaker
        from shared.cells.rebalancing import Rebalancer, RebalancingPolicy
        from shared.cells.tenant_moves import LONGEST_LIFE, MOST_MOVES

        self.grants.require(IDENTITY.query_indexes)
        census = CensusTaker(self.placements, AllTenants(self.adapters, self.settings), self.home)
        policy = RebalancingPolicy(LONGEST_LIFE, most_moves=MOST_MOVES)
        return Rebalancer(self.registry, self.placements, census, self.clock, self._all, policy, self.telemetry)

    @cached_property
    def _known(self) -> frozenset[CellId]:
        """The cells between which tenants may move: where nobody asks where tenants are, none may leave."""
        return self._all if self.settings.has_places else frozenset()

    @cached_property
    def _all(self) -> frozenset[CellId]:
        return frozenset(CellId(cell.id) for cell in self.settings.cells)

    @cached_property
    def directory(self) -> "TenantDirectory":
        from shared.cells.directory import TenantDirectory

        return TenantDirectory(self.registry, self.placements, self._movable, self.clock, self._all)

    async def place(self, tenant: TenantId) -> None:
        """Put a new tenant where there is room for it; where there is one cell, or none that is well, it is at home."""
        from shared.cells.errors import NoHealthyCellError, PlacementBusyError

        if len(self.settings.cells) == 1:
            return
        with suppress(NoHealthyCellError, PlacementBusyError):
            await self.directory.place(tenant, self.settings.home_cell.region)

    async def overview(self) -> tuple[list[Cell], Callable[[CellId], tuple[int, int]]]:
        """Return all cells, and what tells how many tenants take room in one and how many of them in own indexes."""
        registry, held = await asyncio.gather(self.registry.registry(), self.listed_placements.held())
        cells = sorted(registry.cells.values(), key=lambda cell: cell.cell_id)

        def counts(cell_id: CellId) -> tuple[int, int]:
            own = held.get(place_in(cell_id, has_own_index=True), 0)
            return held.get(cell_id, 0) + own, own

        return cells, counts

    async def described(self, cell: Cell) -> "CellDescription":
        """Return a cell as the API describes it."""
        from shared.cells.descriptions import CellDescription

        _, held = await self.overview()
        return CellDescription.of(cell, *held(cell.cell_id))

    @staticmethod
    def trouble(tenant: TenantId, code: str, error: Exception) -> None:
        """Tell of a move that cannot go on now."""
        _log.warning("a move cannot go on", extra={"tenant": tenant, "code": code}, exc_info=error)

    @cached_property
    def observer(self) -> "CellObserver":
        from shared.cells.observing import CellObserver

        cells = [Cell(CellId(cell.id), cell.region, cell.weight) for cell in self.settings.cells]
        return CellObserver(
            self.registry, cells, {cell.cell_id: self.stores.probe_of(cell.cell_id) for cell in cells}, self.clock
        )

    @cached_property
    def registry(self) -> "DynamoCellRegistry":
        self.grants.require(CELL_REGISTRY.read)
        return self._registry

    @cached_property
    def _registry(self) -> "DynamoCellRegistry":
        from shared.adapters.dynamodb.cell_registry import DynamoCellRegistry

        return DynamoCellRegistry(self.adapters.transactions, self.settings.address_of(CELLS))

    @cached_property
    def _gates(self) -> "DynamoGates":
        from shared.adapters.dynamodb.cell_gates import DynamoGates

        return DynamoGates(self.adapters.aws.dynamodb, self.settings.address_of(CELLS))

    @cached_property
    def _erasures(self) -> "DynamoErasures":
        from shared.adapters.dynamodb.cell_gates import DynamoErasures

        return DynamoErasures(self.adapters.aws.dynamodb, self.settings.address_of(CELLS), self.clock)

    @cached_property
    def _movable(self) -> "ChunkCells":
        from shared.adapters.cells.chunk_cell import ChunkCells

        return ChunkCells(self.stores, self._gates, self._erasures)
