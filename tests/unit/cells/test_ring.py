"""The ring: the same for everybody, near-even, and still when cells come and go."""

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.cells.models import Cell, CellId
from shared.cells.ring import VIRTUAL_NODES, HashRing, ring_of
from shared.kernel.ids import TenantId

TENANTS = [TenantId(f"tenant-{number}") for number in range(200)]
names = st.text(st.characters(codec="utf-8", exclude_characters="#"), min_size=1, max_size=12)
cell_sets = st.dictionaries(names, st.integers(1, 3), min_size=1, max_size=8).map(
    lambda weights: [Cell(CellId(name), "eu-central-1", weight) for name, weight in weights.items()]
)


def primaries(cells):
    return {tenant: next(ring_of(cells).walk(tenant)) for tenant in TENANTS}


def test_a_cell_has_at_least_128_virtual_nodes():
    assert VIRTUAL_NODES >= 128
    assert len(HashRing([(CellId("a"), 1), (CellId("b"), 3)])._points) == 4 * VIRTUAL_NODES


@settings(deadline=None)
@given(cell_sets, names)
def test_a_walk_meets_every_cell_once_whatever_order_they_came_in(cells, tenant):
    walk = list(ring_of(cells).walk(TenantId(tenant)))

    assert sorted(walk) == sorted(cell.cell_id for cell in cells)
    assert walk == list(ring_of(cells[::-1]).walk(TenantId(tenant)))


@settings(deadline=None)
@given(cell_sets, names.filter(lambda name: name != "x"))
def test_a_newcomer_takes_tenants_and_moves_nobody_between_others(cells, name):
    cells = [cell for cell in cells if cell.cell_id != name]
    before = primaries(cells) if cells else {}
    after = primaries([*cells, Cell(CellId(name), "eu-central-1")])

    assert {cell for tenant, cell in after.items() if before.get(tenant) != cell} <= {name}


def test_another_process_with_another_hash_seed_agrees():
    ask = (
        "from shared.cells.ring import HashRing; r = HashRing([('a', 1), ('b', 2), ('c', 1)]);"
        "print([list(r.walk(f'tenant-{n}')) for n in range(50)])"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", ask], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }

    assert len(answers) == 1


def test_the_order_of_known_names_never_changes():
    """A change of it would send every tenant's next placement elsewhere than earlier releases did."""
    ring = HashRing((CellId(name), 1) for name in ("eu-1", "eu-2", "us-1", "us-2"))

    assert list(ring.walk(TenantId("acme"))) == ["eu-1", "us-2", "us-1", "eu-2"]
    assert list(ring.walk(TenantId("globex"))) == ["us-2", "us-1", "eu-1", "eu-2"]


def test_twice_the_weight_is_preferred_twice_as_often():
    cells = [Cell(CellId("small"), "eu-central-1"), Cell(CellId("large"), "eu-central-1", weight=2)]
    ring = ring_of(cells)
    held = Counter(next(ring.walk(TenantId(f"t{number}"))) for number in range(6_000))

    assert held[CellId("large")] / held[CellId("small")] == pytest.approx(2.0, rel=0.25)
