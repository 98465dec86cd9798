"""Tenants are placed once and evenly; routes are remembered until they age or some cell's health changes."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from shared.cells.directory import LOOKED_FOR, TenantDirectory
from shared.cells.errors import NoHealthyCellError, PlacementBusyError, PlacementNotFoundError
from shared.cells.gates import Gate, GateRole
from shared.cells.models import Cell, CellId, CellRegistry, Observation
from shared.cells.placements import Placement
from shared.cells.places import cell_of, place_in
from shared.cells.ring import ring_of
from shared.cells.routing import T6
from shared.kernel.ids import TenantId
from tests.ambient import reaching_all
from tests.unit.cells.memory import MemoryCells, MemoryPlacements, MemoryRegistry, finish

ACME, HOME = TenantId("acme"), "eu-central-1"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.moment = NOW

    def now(self):
        return self.moment

    def wait(self, time):
        self.moment += time


class Deployment:
    """Three equal cells, a directory, and somebody who looks at the cells."""

    def __init__(self):
        self.registry, self.placements, self.cells, self.clock = (
            MemoryRegistry(),
            MemoryPlacements(),
            MemoryCells(),
            Clock(),
        )
        self.known = [CellId(name) for name in ("a", "b", "c")]
        for cell_id in self.known:
            self.registry.stored = self.registry.stored.added(Cell(cell_id, HOME))
        self.directory = TenantDirectory(self.registry, self.placements, self.cells, self.clock, self.known)

    def see(self, cell_id, **seen):
        self.registry.stored = self.registry.stored.observed(CellId(cell_id), Observation(**seen))

    def place(self, tenant=ACME, home=HOME):
        return finish(self.directory.place(tenant, home))

    def route(self, tenant=ACME, home=HOME):
        return finish(self.directory.route(tenant, home))


@pytest.fixture
def deployment():
    with reaching_all():
        yield Deployment()


def walk(deployment):
    return list(ring_of(deployment.registry.stored.cells.values()).walk(ACME))


def test_who_has_an_index_of_its_own_takes_room_in_its_cell(deployment):
    own = place_in(CellId("a"), has_own_index=True)
    for tenant in (TenantId(f"large-{number}") for number in range(12)):
        deployment.placements.records[tenant] = Placement(tenant, own, revision=1)

    for number in range(24):
        deployment.place(TenantId(f"small-{number}"))

    held = Counter(cell_of(placement.cell) for placement in deployment.placements.records.values())
    assert held == {"a": 12, "b": 12, "c": 12}


def test_nobody_is_put_in_a_cell_that_was_taken_away_a_moment_ago(deployment):
    first, second, _ = walk(deployment)
    deployment.known.remove(first)

    assert deployment.place().cell == second
    deployment.known.clear()
    with pytest.raises(NoHealthyCellError):
        deployment.place(TenantId("globex"))


def test_a_tenant_goes_to_the_cell_that_it_prefers_and_is_let_in(deployment):
    placement = deployment.place()

    assert placement.cell == walk(deployment)[0]
    assert deployment.cells.of(placement.cell).gates[ACME] == Gate(1, GateRole.OPEN)


def test_a_tenant_stays_whatever_becomes_of_the_cells(deployment):
    before = deployment.place()
    deployment.see(before.cell, is_healthy=False)
    deployment.registry.stored = deployment.registry.stored.added(Cell(CellId("d"), HOME))

    assert deployment.place() == before


@pytest.mark.parametrize("seen", [{"is_healthy": False}, {"load": 0.8}])
def test_an_ill_or_busy_cell_gets_no_new_tenant(deployment, seen):
    deployment.see(walk(deployment)[0], **seen)

    assert deployment.place().cell != walk(deployment)[0]


def test_a_closed_cell_gets_no_new_tenant(deployment):
    closed = walk(deployment)[0]
    deployment.registry.stored = deployment.registry.stored.closed(closed, NOW)

    assert deployment.place().cell != closed


def test_a_thousand_tenants_that_sign_up_are_spread_evenly(deployment):
    for number in range(1_000):
        deployment.place(TenantId(f"tenant-{number}"))

    held = Counter(placement.cell for placement in deployment.placements.records.values())
    assert max(held.values()) <= 1.05 * 1_000 / 3


def test_cells_without_room_are_used_only_while_no_other_is_healthy(deployment):
    for number in range(9):
        deployment.place(TenantId(f"tenant-{number}"))
    deployment.see("a", is_healthy=False)
    deployment.see("b", is_healthy=False)

    assert [deployment.place(TenantId(f"late-{number}")).cell for number in range(4)] == ["c"] * 4


@pytest.mark.parametrize("cells", [CellRegistry({}), None])
def test_without_a_healthy_cell_nobody_is_placed(deployment, cells):
    for name in ("a", "b", "c"):
        deployment.see(name, is_healthy=False)
    deployment.registry.stored = deployment.registry.stored if cells is None else cells

    with pytest.raises(NoHealthyCellError):
        deployment.place()
    assert deployment.placements.records == {}


def test_two_that_place_the_same_tenant_agree(deployment):
    first, second = deployment.directory.place(ACME, HOME), deployment.directory.place(ACME, "us-east-1")
    tasks, placed = [first, second], []
    while tasks:
        for task in list(tasks):
            try:
                task.send(None)
            except StopIteration as end:
                tasks.remove(task)
                placed.append(end.value)

    assert placed[0] == placed[1]
    assert sum(finish(deployment.placements.held()).values()) == 1


def test_when_others_always_take_the_room_the_request_says_so(deployment):
    async def refuse(placement, at_most):
        return False

    deployment.placements.add = refuse

    with pytest.raises(PlacementBusyError):
        deployment.place()


def test_a_request_goes_to_the_tenants_own_cell(deployment):
    placement = deployment.place()
    route = deployment.route()

    assert route.served_by == route.data == placement.cell
    assert not route.is_diverted


def test_a_request_for_nobody_is_refused(deployment):
    with pytest.raises(PlacementNotFoundError):
        deployment.route()


def test_a_decision_outlives_load_but_not_its_time(deployment):
    own = deployment.place().cell
    deployment.route()
    deployment.see(own, load=0.9)
    deployment.clock.wait(T6.remembered_for - timedelta(seconds=1))
    assert deployment.route().served_by == own

    deployment.clock.wait(timedelta(seconds=1))
    assert deployment.route().is_diverted
    assert deployment.route().data == own


def test_a_change_of_health_ends_a_decision_as_soon_as_the_process_sees_it(deployment):
    own = deployment.place().cell
    deployment.route()
    deployment.see(own, is_healthy=False)
    assert deployment.route().served_by == own

    deployment.clock.wait(LOOKED_FOR)
    assert deployment.route().is_diverted
    deployment.see(own, is_healthy=True)
    deployment.clock.wait(LOOKED_FOR)
    assert not deployment.route().is_diverted


def test_a_decision_that_holds_costs_no_read(deployment):
    deployment.place()
    deployment.route()
    reads = deployment.registry.reads
    task = deployment.directory.route(ACME, HOME)

    with pytest.raises(StopIteration):
        task.send(None)
    assert deployment.registry.reads == reads


def test_nobody_is_diverted_to_a_cell_that_is_being_emptied(deployment):
    own = deployment.place().cell
    others = [name for name in deployment.registry.stored.cells if name != own]
    deployment.registry.stored = deployment.registry.stored.closed(others[0], NOW)
    deployment.see(own, is_healthy=False)

    assert deployment.route().served_by == others[1]


def test_a_tenant_of_a_cell_that_is_being_emptied_is_still_served_by_it(deployment):
    own = deployment.place().cell
    deployment.registry.stored = deployment.registry.stored.closed(own, NOW)

    assert deployment.route().served_by == own


def test_when_no_cell_is_healthy_the_request_says_so(deployment):
    deployment.place()
    for name in ("a", "b", "c"):
        deployment.see(name, is_healthy=False)

    with pytest.raises(NoHealthyCellError):
        deployment.route()


def test_no_more_decisions_are_kept_than_fit(deployment, monkeypatch):
    monkeypatch.setattr("shared.cells.decisions.REMEMBERED", 2)
    for name in ("t1", "t2", "t3"):
        deployment.place(TenantId(name))
        deployment.route(TenantId(name))

    assert [tenant for tenant, _ in deployment.directory._decisions._decisions] == ["t2", "t3"]
