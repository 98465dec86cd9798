"""Cells are emptied by processes that are really killed (SIGKILL), at each of their calls while they plan (T6).

The processes run the deployed schedule on real tables and files. Whoever is killed is followed by others, which get
nothing but the tables.
"""

import secrets
from dataclasses import dataclass
from signal import SIGKILL

import pytest

from shared.cells.models import CellId, CellState
from shared.cells.placements import Placement
from shared.cells.places import place_in
from shared.composition.services import Services
from shared.composition.settings import LOCAL_FOLDER
from shared.kernel.ids import TenantId, UserId
from shared.operations.capabilities import CELLS, IDENTITY
from shared.operations.vector_cells import VECTOR_CELLS, VectorCell, VectorCells
from shared.tenancy.plans import PlanName
from tests.audit.dying import PROCESSES, Death, ends_of
from tests.cells.dying import live
from tests.contract.chunks import chunk, scope
from tests.ingestion.cloud import Cloud, make_table
from tests.ingestion.functions import services_of_all

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

MAIN, SECOND = CellId("main"), CellId("second")
ALL = VectorCells(cells=tuple(VectorCell(id=name, address="sqlite", region="local") for name in (MAIN, SECOND)))
OWN, PLACED, UNPLACED = (TenantId(name) for name in ("tn-own", "tn-placed", "tn-unplaced"))
MOST, MOST_RUNS = 9, 4


@dataclass(frozen=True)
class Play:
    """A deployment of two cells with tables of its own, whose first cell is to be emptied of three tenants."""

    cloud: Cloud
    services: Services

    @classmethod
    async def begun(cls, cloud, folder):
        name = secrets.token_hex(8)
        own = {CELLS.variable: f"cells-{name}", IDENTITY.variable: f"identity-{name}", LOCAL_FOLDER: str(folder / name)}
        for resource in (CELLS, IDENTITY):
            make_table(cloud.dynamodb, resource, own[resource.variable])
        (folder / name).mkdir()
        furnished = Cloud({**cloud.variables, **own, VECTOR_CELLS: ALL.model_dump_json()}, cloud.dead_letters)
        play = cls(furnished, services_of_all(furnished))
        await play._fill()
        return play

    async def _fill(self):
        cells, who = self.services.cells, UserId("test")
        for tenant in (OWN, PLACED, UNPLACED):
            await self.services.tenancy.operating.create(tenant, tenant, PlanName.STARTER, f"{tenant}@example.com", who)
        for tenant, place in ((PLACED, MAIN), (OWN, place_in(MAIN, has_own_index=True))):
            assert await cells.placements.add(Placement(tenant, place), MOST)
        await cells.observer.observe()
        for tenant in (OWN, PLACED, UNPLACED):
            await cells.chunk_index.write(tenant, scope(1), [chunk(1, f"notice of {tenant}")])
        await cells.membership.close(MAIN)

    async def is_closed(self):
        return (await self.services.cells.registry.registry()).cells[MAIN].state is CellState.CLOSED

    async def check(self):
        """Everybody was moved once, and nothing says otherwise."""
        cells = self.services.cells
        own = place_in(SECOND, has_own_index=True)
        found = {tenant: await cells.moves.placement(tenant) for tenant in (OWN, PLACED, UNPLACED)}
        assert {name: one.cell for name, one in found.items()} == {OWN: own, PLACED: SECOND, UNPLACED: SECOND}
        assert {one.epoch for one in found.values()} == {5}, "a whole move raises the epoch by four"
        assert {cell: held for cell, held in (await cells.placements.held()).items() if held} == {SECOND: 2, own: 1}
        assert await cells.placements.tenants_in(SECOND, MOST) == [PLACED, UNPLACED]
        assert await cells.placements.under_way(MOST) == []
        for tenant in found:
            hits = await cells.chunk_index.search_keyword(tenant, scope(1), "notice", 5)
            assert [hit.text for hit in hits] == [f"notice of {tenant}"]
            assert await cells.stores.of(MAIN).count(tenant) == 0


async def calls_of_lives(play):
    """Return how many calls each run of the schedule makes until the cell is closed."""
    told = []
    while not await play.is_closed():
        calls = PROCESSES.Value("i", 0)
        assert ends_of(live, [(play.cloud.variables, Death(), calls)]) == [0]
        told.append(calls.value)
        assert len(told) < MOST_RUNS
    return told


@pytest.fixture
async def plays(cloud, tmp_path):
    """Return a function that begins plays."""

    async def begun(count):
        return [await Play.begun(cloud, tmp_path) for _ in range(count)]

    return begun


async def deaths_of(plays):
    """Return some of the calls of the run that plans, and of the one that moves all and closes the cell."""
    (undisturbed,) = await plays(1)
    planning, closing = await calls_of_lives(undisturbed)
    await undisturbed.check()
    # A process remembers nothing when it is dead, so to die after one call is to die before the next.
    planned = [Death(call) for call in range(1, planning + 1, 3)]
    closed = [Death(call) for call in (closing // 2, closing - 6, closing - 3, closing)]
    return [*planned, Death(planning, after=True)], [*closed, Death(closing, after=True)]


async def test_who_empties_a_cell_may_be_killed_at_any_call(plays):
    planning, closing = await deaths_of(plays)
    doomed = await plays(len(planning) + len(closing))
    planned = doomed[len(planning) :]
    assert ends_of(live, [(play.cloud.variables,) for play in planned]) == [0] * len(closing)

    deaths = [*planning, *closing]
    killed = ends_of(live, [(play.cloud.variables, death) for play, death in zip(doomed, deaths, strict=True)])
    for _ in range(MOST_RUNS):
        waiting = [play for play in doomed if not await play.is_closed()]
        assert ends_of(live, [(play.cloud.variables,) for play in waiting]) == [0] * len(waiting)

    assert killed == [-SIGKILL] * len(deaths)
    assert len(planning) >= 8
    for play, death in zip(doomed, deaths, strict=True):
        try:
            assert await play.is_closed()
            await play.check()
        except AssertionError as error:
            error.add_note(str(death))
            raise
