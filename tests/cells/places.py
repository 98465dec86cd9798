"""Two real cells, and the table that says who is where: as tests and the processes that move tenants both open them."""

import json
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3

from shared.adapters.aws.sdk_sessions import for_threads
from shared.adapters.cells.chunk_cell import ChunkCells
from shared.adapters.cells.routed_index import RoutedChunkIndex
from shared.adapters.dynamodb.cell_gates import DynamoErasures, DynamoGates
from shared.adapters.dynamodb.cell_registry import DynamoCellRegistry
from shared.adapters.dynamodb.placements import DynamoPlacements
from shared.adapters.dynamodb.transactions import Transactions
from shared.adapters.opensearch.chunk_index import OpenSearchChunkIndex
from shared.adapters.opensearch.client import connect
from shared.adapters.opensearch.layout import IndexLayout
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.cells.models import CellId
from shared.cells.moving import TenantMover
from shared.cells.tenant_moves import TenantMoves
from shared.kernel.clock import SystemClock
from shared.retrieval.chunk_stores import ChunkStore
from tests.contract.chunks import DIMENSIONS
from tests.records import act_of_test

A, B = CellId("a"), CellId("b")
STRAGGLERS = timedelta(seconds=0.3)
"""In a test nobody stalls for longer, except who is meant to."""


@dataclass(frozen=True)
class Places:
    """Where the two cells and the table are. `address` is of OpenSearch; without one, cells are files of `folder`."""

    cells_table: str
    audit_table: str
    folder: str
    address: str = ""
    prefix: str = "cells"
    opened: dict[CellId, ChunkStore] = field(default_factory=dict, compare=False)

    @classmethod
    def read(cls, text: str) -> "Places":
        return cls(**json.loads(text))

    def written(self) -> str:
        names = [one.name for one in fields(self) if one.name != "opened"]
        return json.dumps({name: getattr(self, name) for name in names})

    def of(self, place: CellId) -> ChunkStore:
        """Implements `ChunkStores`."""
        if place not in self.opened:
            self.opened[place] = self._open(place)
        return self.opened[place]

    def _open(self, place: CellId) -> ChunkStore:
        name = f"{self.prefix}-{place.replace('/', '-')}"
        if not self.address:
            return SqliteChunkIndex(Path(self.folder) / f"{name}.sqlite")
        return OpenSearchChunkIndex(connect(self.address), IndexLayout(name, DIMENSIONS, shards=1, replicas=0))

    def close(self) -> None:
        for store in self.opened.values():
            if isinstance(store, OpenSearchChunkIndex):
                index = store._layout.physical_name
                store._client.indices.delete(index=index, params={"ignore_unavailable": "true"})
            store.close()  # type: ignore[attr-defined]


@dataclass
class Parts:
    """What a process has of the table and the cells; a test may put something in front of each part."""

    stores: Any
    placements: Any
    gates: Any
    erasures: Any
    registry: Any

    @classmethod
    def of(cls, places: Places) -> "Parts":
        client, clock = for_threads(boto3.client("dynamodb")), SystemClock()
        transactions = Transactions(client, lambda: places.audit_table, act_of=act_of_test)
        return cls(
            stores=places,
            placements=DynamoPlacements(transactions, places.cells_table, A),
            gates=DynamoGates(client, places.cells_table),
            erasures=DynamoErasures(client, places.cells_table, clock),
            registry=DynamoCellRegistry(transactions, places.cells_table),
        )

    def moves(self, page: int) -> TenantMoves:
        cells = ChunkCells(self.stores, self.gates, self.erasures)
        mover = TenantMover(self.placements, cells, SystemClock(), page, STRAGGLERS)
        return TenantMoves(self.placements, mover, SystemClock(), frozenset({A, B}), A, self.registry)

    def index(self) -> RoutedChunkIndex:
        return RoutedChunkIndex(self.stores, self.placements, self.gates, self.erasures, SystemClock(), A)
