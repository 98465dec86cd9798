"""Whoever looked for a tenant before anybody placed it finds it where it was placed: a real table, two files (T6)."""

import secrets

import pytest

from shared.cells.placements import Placement
from shared.kernel.ids import TenantId
from shared.operations.capabilities import AUDIT, CELLS
from tests.cells.places import A, B, Parts, Places
from tests.contract.chunks import chunk, scope

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

BASE, AT_MOST = scope(1), 9


@pytest.fixture
def places(cloud, tmp_path):
    made = Places(cloud.address_of(CELLS), cloud.address_of(AUDIT), str(tmp_path))
    yield made
    made.close()


@pytest.fixture
def tenant():
    return TenantId(f"new-{secrets.token_hex(4)}")


async def texts(index, tenant):
    return [hit.text for hit in await index.search_keyword(tenant, BASE, "notice", 5)]


@pytest.mark.parametrize("place", [A, B])
async def test_a_process_that_searched_before_the_placement_finds_what_another_writes_after_it(places, tenant, place):
    searching, writing = Parts.of(places).index(), Parts.of(places).index()
    assert await texts(searching, tenant) == []
    assert await Parts.of(places).placements.add(Placement(tenant, place), AT_MOST)

    await writing.write(tenant, BASE, [chunk(1, "notice")])

    assert await texts(searching, tenant) == await texts(writing, tenant) == ["notice"]
    assert await places.of(place).count(tenant) == 1


async def test_who_was_placed_elsewhere_moves_home_and_away_again(places, tenant):
    parts = Parts.of(places)
    index, moves = parts.index(), parts.moves(page=10)
    assert await texts(index, tenant) == []
    assert await parts.placements.add(Placement(tenant, B), AT_MOST)
    await index.write(tenant, BASE, [chunk(1, "notice")])

    for target in (A, B):
        await moves.start(tenant, target)
        while (placement := await moves.mover.advance(tenant)).under_way is not None:
            assert await texts(index, tenant) == ["notice"]
        assert placement.cell == target
        assert await texts(index, tenant) == ["notice"]
