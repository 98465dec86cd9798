"""Stores of placements and of the registry keep their ports' promises: in memory, and the table on the emulator."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from localstack import emulator
from shared.adapters.aws.sdk_sessions import for_threads
from shared.adapters.dynamodb.cell_registry import DynamoCellRegistry
from shared.adapters.dynamodb.placements import DynamoPlacements
from shared.adapters.dynamodb.transactions import Transactions
from shared.cells.models import Cell, CellChange, CellId, CellRegistry, Observation
from shared.cells.placements import MoveState, Placement
from shared.cells.ports import AskedCellRegistryStore, PlacementStore
from shared.kernel.ids import TenantId
from shared.operations.capabilities import AUDIT, CELLS
from tests.ingestion.cloud import make_table
from tests.own_folders import own_server
from tests.records import act_of_test
from tests.unit.cells.memory import MemoryPlacements, MemoryRegistry

pytestmark = pytest.mark.real_server

ACME, GLOBEX, INITECH = TenantId("acme"), TenantId("globex"), TenantId("initech")
A, B = CellId("a"), CellId("b")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BEFORE_SWITCH = (MoveState.COPYING, MoveState.DUAL_READ, MoveState.VERIFIED)


@pytest.fixture(scope="module")
def dynamodb() -> Any:
    with own_server("emulator", lambda folder: emulator.start(folder, 0)) as running:
        client = boto3.client(
            "dynamodb",
            endpoint_url=running.endpoint,
            region_name=emulator.REGION,
            aws_access_key_id=emulator.CREDENTIAL,
            aws_secret_access_key=emulator.CREDENTIAL,
        )
        yield for_threads(client)
        client.close()


@pytest.fixture
def table(dynamodb: Any) -> Any:
    make_table(dynamodb, CELLS, "cells")
    make_table(dynamodb, AUDIT, "audit")
    yield "cells"
    dynamodb.delete_table(TableName="cells")
    dynamodb.delete_table(TableName="audit")


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> PlacementStore:
    if request.param == "memory":
        return MemoryPlacements()
    transactions = Transactions(request.getfixturevalue("dynamodb"), lambda: "audit", act_of=act_of_test)
    return DynamoPlacements(transactions, request.getfixturevalue("table"))


@pytest.fixture(params=["memory", "dynamodb"])
def registry(request: pytest.FixtureRequest) -> AskedCellRegistryStore:
    if request.param == "memory":
        return MemoryRegistry()
    transactions = Transactions(request.getfixturevalue("dynamodb"), lambda: "audit", act_of=act_of_test)
    return DynamoCellRegistry(transactions, request.getfixturevalue("table"))


async def stored(store: PlacementStore, tenant: TenantId) -> Placement:
    placement = await store.placement(tenant)
    assert placement is not None
    return placement


async def step(store: PlacementStore, *states: MoveState) -> Placement:
    for state in states:
        before = await stored(store, ACME)
        assert await store.replace(before, before.stepped(state, NOW))
    return await stored(store, ACME)


async def test_nothing_is_known_at_first(store: PlacementStore) -> None:
    assert await store.placement(ACME) is None
    assert await store.held() == {}
    assert await store.tenants_in(A, 10) == []
    assert await store.under_way(10) == []


async def test_a_tenant_is_placed_once(store: PlacementStore) -> None:
    assert await store.add(Placement(ACME, A), 5)
    assert not await store.add(Placement(ACME, B), 5)

    assert await store.placement(ACME) == Placement(ACME, A, revision=1)
    assert await store.held() == {A: 1}
    assert await store.tenants_in(B, 10) == []


async def test_a_cell_holds_no_more_than_it_may_however_many_come_at_once(store: PlacementStore) -> None:
    tenants = [TenantId(f"t{number}") for number in range(6)]

    added = await asyncio.gather(*(store.add(Placement(tenant, A), 3) for tenant in tenants))

    assert sum(added) <= 3
    for tenant in tenants:
        await store.add(Placement(tenant, A), 3)
    assert await store.held() == {A: 3}
    assert len(await store.tenants_in(A, 10)) == 3


async def test_a_move_is_read_back_as_it_was_written(store: PlacementStore) -> None:
    await store.add(Placement(ACME, A), 5)
    before = await stored(store, ACME)
    after = before.planned(B, NOW)
    assert await store.replace(before, after)
    copying = await step(store, MoveState.COPYING)
    assert await store.replace(copying, copying.progressed("k7", 7, "sum", NOW))

    assert await store.placement(ACME) == replace(copying.progressed("k7", 7, "sum", NOW), revision=4)


async def test_only_one_of_two_writes_on_the_same_revision_happens(store: PlacementStore) -> None:
    await store.add(Placement(ACME, A), 5)
    before = await stored(store, ACME)

    written = await asyncio.gather(
        store.replace(before, before.planned(B, NOW)), store.replace(before, before.planned(CellId("c"), NOW))
    )

    assert sorted(written) == [False, True]
    assert not await store.replace(before, before.planned(B, NOW))
    assert sum((await store.held()).values()) == 2


async def test_a_move_takes_room_in_both_cells_until_it_is_done(store: PlacementStore) -> None:
    await store.add(Placement(ACME, A), 5)
    before = await stored(store, ACME)
    await store.replace(before, before.planned(B, NOW))
    assert await store.held() == {A: 1, B: 1}
    assert await store.under_way(10) == [ACME]
    await step(store, *BEFORE_SWITCH, MoveState.SWITCHED, MoveState.CLEANING)
    assert await store.tenants_in(A, 10) == await store.tenants_in(B, 10) == [ACME]

    done = await step(store, MoveState.DONE)

    assert done.cell == B
    assert {cell: held for cell, held in (await store.held()).items() if held} == {B: 1}
    assert await store.tenants_in(A, 10) == await store.under_way(10) == []
    assert await store.tenants_in(B, 10) == [ACME]


async def test_a_move_that_was_given_up_leaves_the_target(store: PlacementStore) -> None:
    await store.add(Placement(ACME, A), 5)
    before = await stored(store, ACME)
    await store.replace(before, before.planned(B, NOW))

    aborted = await step(store, MoveState.COPYING, MoveState.ABORTING, MoveState.ABORTED)

    assert aborted.cell == A
    assert {cell: held for cell, held in (await store.held()).items() if held} == {A: 1}
    assert await store.tenants_in(B, 10) == await store.under_way(10) == []


async def test_lists_go_on_where_they_ended(store: PlacementStore) -> None:
    for tenant in (INITECH, ACME, GLOBEX):
        await store.add(Placement(tenant, A), 5)
    await store.add(Placement(TenantId("hooli"), B), 5)

    assert await store.tenants_in(A, 2) == [ACME, GLOBEX]
    assert await store.tenants_in(A, 2, GLOBEX) == [INITECH]
    assert await store.tenants_in(A, 2, INITECH) == []


async def test_the_registry_is_read_back_as_it_was_written(registry: AskedCellRegistryStore) -> None:
    assert await registry.registry() == CellRegistry({})
    cells = CellRegistry({}).added(Cell(A, "eu-central-1", weight=3)).added(Cell(B, "us-east-1"))
    cells = cells.observed(A, Observation(load=0.25, latency_ms=12.5)).closed(B, NOW)
    cells = cells.counted(B, CellChange(NOW, 3, "no-room-elsewhere"), is_empty=False)

    assert await registry.replace(cells)
    assert await registry.registry() == replace(cells, revision=1)
    assert await registry.replace(replace(cells, revision=1).removed(B))
    assert set((await registry.registry()).cells) == {A}


async def test_a_registry_that_was_changed_meanwhile_is_not_overwritten(registry: AskedCellRegistryStore) -> None:
    first = await registry.registry()
    assert await registry.replace(first.added(Cell(A, "eu-central-1")))

    assert not await registry.replace(first.added(Cell(B, "eu-central-1")))
    assert set((await registry.registry()).cells) == {A}


async def test_who_asks_to_change_a_cell_is_bound_to_what_was_read_as_well(registry: AskedCellRegistryStore) -> None:
    first = (await registry.registry()).added(Cell(A, "eu-central-1"))

    assert await registry.change(first, A)
    assert not await registry.change(first.closed(A, NOW), A)
    assert (await registry.registry()).cells[A].is_open
