"""Any single byte of a stored log, changed to anything else, is found (T7)."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.audit.chain import Link
from shared.audit.verification import Fault
from tests.audit.samples import chain
from tests.audit.stored_items import StoredItems

SMALL = StoredItems.of(5, in_block=2)
LARGER = StoredItems.of(60, in_block=20)


async def test_the_log_is_intact_before_anybody_changes_it():
    assert await SMALL.findings() == ()
    assert await LARGER.findings() == ()


async def test_every_byte_of_every_attribute_of_every_item_is_covered():
    places = list(SMALL.places())
    bits = {place: 1 << number % 8 for number, place in enumerate(places)}

    overlooked = [
        place for place in places if not await SMALL.changed(place, lambda byte, bit=bits[place]: byte ^ bit).findings()
    ]

    assert len(places) > 2_000
    assert overlooked == []


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_a_byte_is_changed_to_it_is_found(data):
    place = data.draw(st.sampled_from(list(LARGER.places())))
    difference = data.draw(st.integers(1, 255))

    found = asyncio.run(LARGER.changed(place, lambda byte: byte ^ difference).findings())

    assert found


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_a_changed_line_is_found_where_it_stands(data):
    places = [place for place in LARGER.places() if place[1] == "lines"]
    place = data.draw(st.sampled_from(places))

    found = asyncio.run(LARGER.changed(place, lambda byte: byte ^ data.draw(st.integers(1, 255))).findings())

    first = 20 * place[0] + 1
    assert found[0].fault is Fault.ALTERED
    assert found[0].first_seq == first
    assert {finding.fault for finding in found[1:]} <= {Fault.HEAD_DIFFERS, Fault.ALTERED, Fault.BEYOND_HEAD}
    assert all(first <= finding.last_seq <= first + 20 for finding in found)


@given(st.permutations(range(6)))
def test_blocks_in_any_other_order_are_found(order):
    """Each block in another one's place, with keys and numbers as its new place wants them."""
    items = StoredItems.of(12, in_block=2).items
    moved = [
        {**items[source], "sk": items[target]["sk"], "first_seq": items[target]["first_seq"],
         "last_seq": items[target]["last_seq"]}
        for target, source in enumerate(order)
    ]  # fmt: skip

    found = asyncio.run(StoredItems([*moved, items[-1]]).findings())

    assert bool(found) == (list(order) != sorted(order))


@given(st.sets(st.integers(0, 5), min_size=1))
def test_any_blocks_that_are_gone_are_missed(gone):
    items = StoredItems.of(12, in_block=2).items

    found = asyncio.run(StoredItems([item for number, item in enumerate(items) if number not in gone]).findings())

    told = {seq for finding in found for seq in range(finding.first_seq, finding.last_seq + 1)}
    assert {finding.fault for finding in found} <= {Fault.MISSING, Fault.TRUNCATED}
    assert told == {2 * number + 1 for number in gone} | {2 * number + 2 for number in gone}


@given(st.integers(1, 12), st.binary(min_size=32, max_size=32))
async def test_any_line_that_was_anchored_otherwise_is_found(seq, forged):
    items = StoredItems.of(12, in_block=4)
    items.anchored = (Link(seq, forged),)

    assert [finding.fault for finding in await items.findings()] == [Fault.ANCHOR_DIFFERS]


async def test_anchors_of_any_line_are_met():
    blocks = chain(12, in_block=4)
    items = StoredItems.of(12, in_block=4)
    items.anchored = tuple(block.end for block in chain(12, in_block=1)) + tuple(block.end for block in blocks)

    # Both cut the same events, but events have ids of their own each time.
    assert {finding.fault for finding in await items.findings()} == {Fault.ANCHOR_DIFFERS}
