"""Any single byte of a stored log, changed to anything else, is found (T7)."""

import asyncio
import gzip
import tracemalloc
import zlib
from operator import attrgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.dynamodb.audit_blocks import block_item, head_item
from shared.adapters.dynamodb.audit_packing import pack, unpack
from shared.audit.chain import Link, genesis, line_hashes
from shared.audit.verification import Fault
from tests.audit.samples import ACME, chain
from tests.audit.stored_items import StoredItems, stored_lines

SMALL = StoredItems.of(5, in_block=2)
LARGER = StoredItems.of(60, in_block=20)


async def test_the_log_is_intact_before_anybody_changes_it():
    assert await SMALL.findings() == ()
    assert await LARGER.findings() == ()


async def test_every_bit_of_every_attribute_of_every_item_is_covered():
    places = list(SMALL.places())

    overlooked = [
        (place, bit)
        for place in places
        for bit in range(8)
        if not await SMALL.changed(place, lambda byte, bit=bit: byte ^ 1 << bit).findings()
    ]

    assert len(places) > 1_200
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


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_a_changed_line_is_found_where_it_stands_though_it_is_packed_anew(data):
    """The intruder knows how lines are packed, and hashes the binary again."""
    number, forged = data.draw(st.integers(0, 2)), StoredItems([dict(item) for item in LARGER.items])
    text = bytearray(b"\n".join(unpack(forged.items[number]["lines"]["B"])))
    text[data.draw(st.integers(0, len(text) - 1))] ^= data.draw(st.integers(1, 255))
    forged.items[number] |= stored_lines(pack([bytes(text)]))

    found = asyncio.run(forged.findings())

    assert (found[0].fault, found[0].first_seq) == (Fault.ALTERED, 20 * number + 1)
    assert all(finding.last_seq <= 20 * (number + 1) + 1 for finding in found)


def lines_of_zip(level, strategy=zlib.Z_DEFAULT_STRATEGY):
    made = zlib.compressobj(level, zlib.DEFLATED, 31, strategy=strategy)
    return made.compress(b"\n".join(unpack(SMALL.items[1]["lines"]["B"]))) + made.flush()


@pytest.mark.parametrize(
    "packed",
    [
        lines_of_zip(0)[:-1],
        lines_of_zip(6) + b"\0",
        lines_of_zip(6) * 2,
        gzip.compress(bytes(200_000_000), 9),
        gzip.compress(b"\n" * 400_000, 9),
        b"",
        b"no binary of ours",
    ],
    ids=["cut", "a byte more", "two members", "200 MB of zeros", "many lines", "nothing", "text"],
)
async def test_what_does_not_unpack_is_found_and_hurts_nobody(packed):
    forged = StoredItems([dict(item) for item in SMALL.items])
    forged.items[1] |= stored_lines(packed)

    tracemalloc.start()
    found = await forged.findings()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert [(one.fault, one.first_seq, one.last_seq) for one in found] == [(Fault.ALTERED, 3, 4)]
    assert most < 10_000_000


async def test_other_bytes_of_the_same_lines_are_found_unless_their_hash_is_changed_as_well():
    same = lines_of_zip(1, zlib.Z_HUFFMAN_ONLY)
    forged = StoredItems([dict(item) for item in SMALL.items])
    forged.items[1]["lines"] = {"B": same}
    assert [(one.fault, one.first_seq, one.last_seq) for one in await forged.findings()] == [(Fault.ALTERED, 3, 4)]

    # Then nothing that was written is different.
    forged.items[1] |= stored_lines(same)
    assert await forged.findings() == ()


@pytest.mark.parametrize("told", [1, 2, 4 + 90, 10**9])
async def test_a_block_without_lines_says_no_false_end(told):
    forged = StoredItems([dict(item) for item in SMALL.items])
    forged.items[1] |= {"lines": {"B": b""}, "last_seq": {"N": str(told)}}

    found = await forged.findings()

    assert (found[0].first_seq, found[0].last_seq) == (3, 3)
    assert max(one.last_seq for one in found) <= 5


async def test_a_line_that_is_nested_too_deep_is_no_event():
    forged = StoredItems([dict(item) for item in SMALL.items])
    forged.items[1] |= stored_lines(pack([b"[" * 100_000, b"{}"]))

    assert next((one.fault, one.first_seq) for one in await forged.findings()) == (Fault.ALTERED, 3)


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


@pytest.mark.parametrize(
    ("anchored", "fault"),
    [(Link(360, bytes(32)), Fault.ANCHOR_DIFFERS), (Link(451, bytes(32)), Fault.TRUNCATED)],
    ids=["made anew", "cut"],
)
async def test_no_number_of_true_anchors_hides_the_one_that_tells(anchored, fault):
    """The intruder may add anchors, if not take any away, and knows the hash of every line."""
    blocks = chain(450)
    hashes = line_hashes(genesis(ACME).hash, (line for block in blocks for line in block.lines))
    true = [Link(seq, line_hash) for seq, line_hash in enumerate(hashes, start=1)]
    items = StoredItems([*map(block_item, blocks), head_item(ACME, blocks[-1].end)])
    items.anchored = tuple(sorted([*true, anchored], key=attrgetter("seq")))

    assert fault in {finding.fault for finding in await items.findings()}


async def test_how_far_anchors_tell_of_lines_that_are_gone_is_said():
    blocks = chain(450)
    items = StoredItems([*map(block_item, blocks[:1]), head_item(ACME, blocks[0].end)])
    items.anchored = tuple(block.end for block in blocks)

    assert [(one.fault, one.first_seq, one.last_seq) for one in await items.findings()] == [(Fault.TRUNCATED, 91, 450)]


async def test_what_is_sealed_and_anchored_while_the_log_is_read_is_no_finding():
    blocks = chain(450)

    class Growing(StoredItems):
        """Two blocks, and five as soon as these were read."""

        sealed = 2

        async def head(self, tenant):
            return blocks[self.sealed - 1].end

        async def stored_after(self, tenant, seq, limit):
            found = [block for block in blocks[: self.sealed] if block.first_seq > seq]
            self.sealed = 5
            return found

        async def anchors_after(self, tenant, seq):
            for number, block in enumerate(blocks):
                if number < self.sealed:
                    yield block.end

    assert await Growing([]).findings() == ()
