"""A cell is emptied, and filled again, by the schedule as it is deployed: a real table, two files with chunks (T6)."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from shared.adapters.dynamodb.cell_registry import DynamoCellRegistry
from shared.adapters.dynamodb.placements import DynamoPlacements
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.cells.census import CensusTaker
from shared.cells.models import Cell, CellId, CellState
from shared.cells.placements import Placement
from shared.cells.places import place_in
from shared.cells.rebalancing import Rebalancer, RebalancingPolicy
from shared.kernel.clock import SystemClock
from shared.kernel.ids import TenantId, UserId
from shared.operations.capabilities import CELLS
from shared.operations.registry import load_operation
from shared.operations.vector_cells import VECTOR_CELLS, VectorCell, VectorCells
from shared.telemetry.silent import SilentTelemetry
from shared.tenancy.plans import PlanName
from tests.contract.chunks import chunk, scope
from tests.ingestion.cloud import Cloud
from tests.ingestion.functions import Functions, services_of_all
from tests.records import transactions_of

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

TICK = json.loads((Path(__file__).resolve().parents[2] / "events" / "schedule" / "every_minute.json").read_text())
MAIN, SECOND = CellId("main"), CellId("second")
ALL = VectorCells(
    cells=(
        VectorCell(id="main", address="sqlite", region="local"),
        VectorCell(id="second", address="sqlite", region="local"),
    )
)
NAMES = [TenantId(name) for name in ("tn-own", "tn-placed", *(f"tn-unplaced-{number}" for number in range(6)))]
MOST_RUNS = 12


class TwoCells:
    """A deployment with two cells, and its schedules."""

    def __init__(self, cloud):
        self.cloud = Cloud({**cloud.variables, VECTOR_CELLS: ALL.model_dump_json()}, cloud.dead_letters)
        self.services, self.functions = services_of_all(self.cloud), Functions(self.cloud)

    async def create(self, tenant):
        await self.services.tenancy.operating.create(
            tenant, tenant, PlanName.STARTER, f"{tenant}@example.com", UserId("test")
        )  # fmt: skip
        await self.services.cells.chunk_index.write(tenant, scope(1), [chunk(1, f"notice of {tenant}")])

    async def run(self, name):
        return await self.functions.invoke(load_operation("cells", name), TICK)

    async def run_until(self, cell_id, state):
        for _ in range(MOST_RUNS):
            told = await self.run("advance_tenant_moves")
            assert told["failed"] == 0
            registry = await self.services.cells.registry.registry()
            if registry.cells[cell_id].state is state:
                return
        raise AssertionError(f"{cell_id} never is {state}: {registry.cells[cell_id]}")

    async def where(self):
        return {name: (await self.services.cells.moves.placement(name)).cell for name in NAMES}

    async def found(self, tenant):
        hits = await self.services.cells.chunk_index.search_keyword(tenant, scope(1), "notice", 5)
        return [hit.text for hit in hits]

    async def held(self):
        return {cell: held for cell, held in (await self.services.cells.placements.held()).items() if held}


async def test_the_first_cell_is_emptied_and_filled_again(cloud, monkeypatch):
    """With those whom nobody placed, and one in an index of its own; what leaves a cell is found all the while."""
    monkeypatch.setattr("shared.cells.tenant_moves.LONGEST_LIFE", timedelta(0))
    cells = TwoCells(cloud)
    await cells.run("observe_cells")
    for name in NAMES:
        await cells.create(name)
    own = place_in(MAIN, has_own_index=True)
    await cells.services.cells.moves.start(NAMES[0], own)
    await cells.services.cells.moves.start(NAMES[1], MAIN)
    await cells.run("advance_tenant_moves")
    assert await cells.where() == {**dict.fromkeys(NAMES, MAIN), NAMES[0]: own}
    assert await cells.held() == {MAIN: 1, own: 1}

    await cells.services.cells.membership.close(MAIN)
    await cells.run_until(MAIN, CellState.CLOSED)

    there = place_in(SECOND, has_own_index=True)
    assert await cells.where() == {**dict.fromkeys(NAMES, SECOND), NAMES[0]: there}
    assert await cells.held() == {SECOND: len(NAMES) - 1, there: 1}
    for name in NAMES:
        assert await cells.found(name) == [f"notice of {name}"]
    left = SqliteChunkIndex(cells.cloud.settings.local_folder / "vectors.sqlite")
    assert [await left.count(name) for name in NAMES] == [0] * len(NAMES)
    left.close()

    await cells.services.cells.membership.reopen(MAIN)
    await cells.services.cells.membership.fill(MAIN)
    await cells.run_until(MAIN, CellState.OPEN)

    homes = [place.removesuffix("/own") for place in (await cells.where()).values()]
    assert (homes.count("main"), homes.count("second")) == (4, 4)
    for name in NAMES:
        assert await cells.found(name) == [f"notice of {name}"]


class Killed(BaseException):
    """What a process that dies is not able to handle."""


class Doomed:
    """A part whose calls are counted with those of others, and which kills at one: before it, or after it."""

    def __init__(self, part, fate):
        self._part, self._fate = part, fate

    def __getattr__(self, name):
        call = getattr(self._part, name)

        async def watched(*args, **kwargs):
            self._step()
            answer = await call(*args, **kwargs)
            self._step()
            return answer

        return watched

    def _step(self):
        self._fate["left"] -= 1
        if self._fate["left"] == 0:
            raise Killed


class Everybody:
    async def tenants(self):
        for name in NAMES:
            yield name


@pytest.fixture
async def parts(cloud):
    """A table of three cells: four tenants placed in the one that closes, which is home to four more."""
    client, table = cloud.dynamodb, cloud.address_of(CELLS)
    for item in client.scan(TableName=table)["Items"]:
        client.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})
    placements = DynamoPlacements(transactions_of(cloud), table, MAIN)
    registry = DynamoCellRegistry(transactions_of(cloud), table)
    cells = await registry.registry()
    for name in ("main", "second", "third"):
        cells = cells.added(Cell(CellId(name), "local"))
    assert await registry.replace(cells.closed(MAIN, SystemClock().now()))
    for name in NAMES[:4]:
        assert await placements.add(Placement(name, MAIN), 9)
    return placements, registry


def planner(placements, registry):
    known = frozenset(map(CellId, ("main", "second", "third")))
    policy = RebalancingPolicy(timedelta(0), moves_at_once=len(NAMES))
    census = CensusTaker(placements, Everybody(), MAIN)
    return Rebalancer(registry, placements, census, SystemClock(), known, policy, SilentTelemetry())


@pytest.mark.parametrize("killed_at", [*range(1, 80, 3), 10_000])
async def test_whoever_plans_may_die_before_and_after_each_request(parts, killed_at):
    """Nobody is planned twice, nobody forgotten; counts, lists and placements agree."""
    placements, registry = parts
    fate = {"left": killed_at}
    try:
        await planner(Doomed(placements, fate), Doomed(registry, fate)).plan({})
    except Killed:
        await planner(placements, registry).plan({})

    found = [await placements.placement(name) for name in NAMES]
    targets = [placement.under_way.target for placement in found]
    assert (targets.count("second"), targets.count("third")) == (4, 4)
    assert await placements.under_way(99) == await placements.tenants_in(MAIN, 99) == sorted(NAMES)
    assert await placements.held() == {MAIN: 8, SECOND: 4, CellId("third"): 4}
    assert (await registry.registry()).cells[MAIN].change.left == 8
    assert {placement.epoch for placement in found} == {1}
