"""Requests find a tenant's chunks in every state of a move, however late they are: two files, gates in memory (T6)."""

from datetime import timedelta

import pytest

from shared.adapters.opensearch.bulk import ChunkRefusedError
from shared.cells.errors import CellNotFoundError, InvalidMoveError
from shared.cells.gates import FIRST_EPOCH, Gate, GateRole
from shared.cells.models import CellId
from shared.cells.placements import MoveState, Placement
from shared.kernel.ids import TenantId
from shared.retrieval.ports import IndexUnavailableError
from tests.cells.worlds import ACME, A, B, World
from tests.contract.chunks import chunk, document, scope, unit_vector

BASE, OTHER = scope(1), scope(2)
FOLLOWED = [MoveState.COPYING, MoveState.DUAL_READ, MoveState.VERIFIED]
DOWN = IndexUnavailableError("down")
ON_THE_WAY = [MoveState.PLANNED, *FOLLOWED, MoveState.SWITCHED, MoveState.CLEANING, MoveState.DONE]


@pytest.fixture
async def world(tmp_path):
    made = World(tmp_path)
    await made.index().write(ACME, BASE, [chunk(1, f"notice {part}", ordinal=part) for part in range(3)])
    yield made
    for store in made.stores.values():
        store.store.close()


async def words(index, query="notice"):
    by_word = {hit.text for hit in await index.search_keyword(ACME, BASE, query, 10)}
    by_vector = {hit.text for hit in await index.search_vector(ACME, BASE, unit_vector("notice 0"), 10)}
    assert by_word == by_vector
    return by_word


ALL = {"notice 0", "notice 1", "notice 2"}


@pytest.mark.parametrize("state", ON_THE_WAY)
async def test_whoever_knew_the_tenant_before_finds_everything_in_every_state(world, state):
    old = world.index()
    assert await words(old) == ALL

    await world.move_until(state)

    assert await words(old) == await words(world.index()) == ALL


@pytest.mark.parametrize("method", ["search_keyword", "search_vector"])
async def test_a_search_that_stalls_for_a_whole_move_is_repeated(world, method):
    index = world.index()
    await index.read_back(ACME, BASE, document(1), 1, 2)
    world.of(A).before[method] = lambda: world.move_until(MoveState.DONE)

    assert await words(index) == ALL


@pytest.mark.parametrize("state", ON_THE_WAY)
async def test_what_is_written_and_deleted_on_the_way_is_there_and_gone_at_the_end(world, state):
    old = world.index()
    await words(old)
    await world.move_until(state)

    await old.write(ACME, BASE, [chunk(2, "notice 3"), chunk(2, "notice 4", ordinal=1)])
    await old.refresh(ACME, BASE)
    back = await old.read_back(ACME, BASE, document(2), 1, 1)
    assert (back.count, back.has_first, back.has_last) == (2, True, True)
    assert await old.delete_document_generation(ACME, BASE, document(1), 1) == 3
    assert await words(world.index()) == {"notice 3", "notice 4"}

    await world.move_until(MoveState.DONE)
    assert await world.ids_in(A) == set()
    assert await world.ids_in(B) == {(BASE, document(2), 0), (BASE, document(2), 1)}
    assert world.erasures.kept == {}


@pytest.mark.parametrize("state", FOLLOWED)
async def test_a_target_that_is_down_while_it_follows_fails_no_request_and_misses_nothing(world, state):
    index = world.index()
    await world.move_until(state)
    world.of(B).failure = DOWN
    await index.write(ACME, BASE, [chunk(2, "notice 3")])
    await index.delete_document_generation(ACME, BASE, document(1), 1)
    world.of(B).failure = None

    await world.move_until(MoveState.DONE)
    assert await world.ids_in(B) == {(BASE, document(2), 0)}


async def test_what_only_the_frozen_source_has_is_found_and_read_back(world):
    index = world.index()
    await world.move_until(MoveState.VERIFIED)
    world.of(B).failure = DOWN
    await index.write(ACME, BASE, [chunk(2, "notice 3"), chunk(2, "notice 4", ordinal=1)])
    world.of(B).failure = None
    await world.move_until(MoveState.SWITCHED)

    assert await words(index) == {*ALL, "notice 3", "notice 4"}
    await index.write(ACME, BASE, [chunk(2, "notice 5", ordinal=2)])
    back = await index.read_back(ACME, BASE, document(2), 1, 2)
    assert (back.count, back.has_first, back.has_last) == (3, True, True)
    assert await words(index) == {*ALL, "notice 3", "notice 4", "notice 5"}


@pytest.mark.parametrize("failure", [CellNotFoundError(B), ChunkRefusedError("no")], ids=lambda one: one.code)
@pytest.mark.parametrize("state", FOLLOWED)
async def test_whatever_ails_a_target_while_it_follows_fails_no_request(world, state, failure):
    """The cell was taken out of the settings; or its index refuses a chunk."""
    index = world.index()
    await world.move_until(state)
    if isinstance(failure, CellNotFoundError):
        del world.stores[B]
    else:
        world.of(B).failure = failure

    await index.write(ACME, BASE, [chunk(2, "notice 3")])
    assert await index.delete_document_generation(ACME, BASE, document(1), 1) == 3

    assert await words(index) == {"notice 3"}


@pytest.mark.parametrize("whole", [False, True], ids=["document", "base"])
@pytest.mark.parametrize("state", [MoveState.COPYING, MoveState.SWITCHED])
async def test_what_is_deleted_under_the_hands_of_a_copy_does_not_come_back(world, state, whole):
    index = world.index()
    await world.move_until(MoveState.COPYING if state is MoveState.COPYING else MoveState.VERIFIED)
    if state is MoveState.SWITCHED:
        world.of(B).failure = DOWN
        await index.write(ACME, BASE, [chunk(1, "notice 9", ordinal=9)])
        world.of(B).failure = None
        await world.move_until(state)

    async def deleted():
        if whole:
            await index.delete_scope(ACME, BASE)
        else:
            await index.delete_document_generation(ACME, BASE, document(1), 1)

    world.of(A).after["fetch"] = deleted
    await world.move_until(MoveState.DONE)

    assert await world.ids_in(B) == set()
    assert "fetch" not in world.of(A).after


async def test_a_writer_that_stalls_for_a_whole_move_leaves_nothing_behind(world):
    index = world.index()
    world.of(A).before["write"] = lambda: world.move_until(MoveState.CLEANING)

    await index.write(ACME, BASE, [chunk(2, "notice 3")])
    assert await words(index) == {*ALL, "notice 3"}
    await world.move_until(MoveState.DONE)

    assert await world.ids_in(A) == set()


async def test_a_place_that_is_gone_is_asked_no_more(world):
    old = world.index()
    await words(old)
    await world.move_until(MoveState.DONE)
    del world.stores[A]

    assert await words(old) == ALL


async def test_a_place_that_is_needed_and_gone_is_out_of_service_and_no_mistake_of_whoever_asks(world):
    index = world.index()
    del world.stores[A]

    with pytest.raises(IndexUnavailableError):
        await words(index)


async def test_other_tenants_stay_where_they_are(world):
    other = TenantId("globex")
    index = world.index()
    await index.write(other, BASE, [chunk(1, "notice of globex")])
    await world.move_until(MoveState.DONE)

    assert await world.of(A).count(other) == 1
    assert await world.of(B).count(other) == 0


async def test_a_tenant_gets_a_gate_before_its_first_chunk_so_that_nobody_places_it_elsewhere(world):
    fresh = TenantId("initech")
    index = world.index()
    assert await index.search_keyword(fresh, BASE, "notice", 5) == []
    assert (fresh, A) not in world.gates.gates or world.gates.gates[fresh, A] == Gate()

    await index.write(fresh, BASE, [chunk(1, "notice")])

    assert world.gates.gates[fresh, A] == Gate(FIRST_EPOCH, GateRole.OPEN)


async def test_a_tenant_placed_before_its_first_chunk_is_written_where_it_was_placed(world):
    fresh = TenantId("initech")
    index = world.index()
    await index.search_keyword(fresh, BASE, "notice", 5)
    world.placements.records[fresh] = Placement(fresh, B, revision=1)

    await index.write(fresh, BASE, [chunk(1, "notice")])

    assert (await world.of(A).count(fresh), await world.of(B).count(fresh)) == (0, 1)


async def test_a_request_reads_one_gate_and_no_placement_once_it_knows_it(world):
    index = world.index()
    await index.search_keyword(ACME, BASE, "notice", 5)
    world.gates.looks, world.placements.placement = 0, None

    await index.search_keyword(ACME, BASE, "notice", 5)

    assert world.gates.looks == 1


async def test_operators_begin_and_give_up_moves_as_often_as_they_ask(world):
    moves = world.moves()
    assert (await moves.placement(ACME)).cell == A
    with pytest.raises(CellNotFoundError):
        await moves.start(ACME, CellId("c"))
    with pytest.raises(InvalidMoveError):
        await moves.cancel(ACME)
    assert (await moves.start(ACME, A)).move is None

    await moves.start(ACME, B)
    assert await moves.start(ACME, B) == await moves.placement(ACME)
    aborting = await moves.cancel(ACME)
    assert await moves.cancel(ACME) == aborting
    world.clock.at += timedelta(hours=1)
    while (await moves.mover.advance(ACME)).under_way:
        world.clock.at += timedelta(minutes=17)
    assert (await moves.cancel(ACME)).move.state is MoveState.ABORTED
    assert await words(world.index()) == ALL


async def test_a_run_goes_on_with_every_move_and_tells_of_those_that_cannot(world):
    other, told = TenantId("globex"), []
    await world.index().write(other, BASE, [chunk(1, "notice of globex")])
    moves = world.moves()
    await moves.start(ACME, B)
    await moves.start(other, B)
    world.of(B).failure = DOWN
    down = await moves.advance(timedelta(seconds=50), lambda tenant, code, _: told.append((tenant, code)))
    world.of(B).failure = None

    up = await moves.advance(timedelta(seconds=50))
    world.clock.at += timedelta(minutes=17)
    last = await moves.advance(timedelta(seconds=50))

    assert (down.found, down.ended, down.failed) == (2, 0, 2)
    assert sorted(told) == [(ACME, "index-unavailable"), (other, "index-unavailable")]
    assert (up.found, up.ended, up.failed) == (2, 0, 0)
    assert (last.found, last.ended, last.failed) == (2, 2, 0)
    assert (await moves.advance(timedelta(seconds=50))).found == 0


async def test_a_tenant_whose_chunks_cannot_be_read_keeps_nobody_else_waiting(world):
    other, told = TenantId("globex"), []
    await world.index().write(other, BASE, [chunk(1, "notice of globex")])
    moves = world.moves()
    await moves.start(ACME, B)
    await moves.start(other, B)

    async def spoilt():
        raise ValueError("not a chunk")

    world.of(A).before["scan"] = spoilt
    ran = await moves.advance(timedelta(seconds=50), lambda *one: told.append(one))

    assert (ran.found, ran.troubled) == (2, {ACME: "internal"})
    assert [(tenant, code, str(error)) for tenant, code, error in told] == [(ACME, "internal", "not a chunk")]
    assert (await moves.placement(other)).cell == B


@pytest.mark.parametrize(
    ("state", "gate_of"),
    [
        (MoveState.PLANNED, lambda move: [(B, move.following), (A, move.mirroring)]),
        (MoveState.VERIFIED, lambda move: [(A, move.handed_over)]),
        (MoveState.SWITCHED, lambda move: [(B, move.settled)]),
        (MoveState.COPYING, lambda move: [(A, move.reopened)]),
    ],
    ids=["opened", "switched", "settled", "given up"],
)
async def test_a_worker_that_died_between_a_gate_and_the_record_keeps_nobody_waiting(world, state, gate_of):
    old = world.index()
    await words(old)
    await world.move_until(state)
    for place, gate in gate_of((await world.moves().placement(ACME)).move):
        await world.gates.set_gate(ACME, place, gate)

    assert await words(old) == await words(world.index()) == ALL
    await old.write(ACME, BASE, [chunk(2, "notice 3")])
    assert await words(world.index()) == {*ALL, "notice 3"}


async def test_a_writer_that_knew_the_tenant_before_writes_nothing_where_it_was(world):
    old = world.index()
    await words(old)
    await world.move_until(MoveState.DONE)

    await old.write(ACME, BASE, [chunk(2, "notice 3")])

    assert await world.ids_in(A) == set()
    assert await words(old) == {*ALL, "notice 3"}
