"""`mend_audit_head`: a head is written anew from the last block, and never so that anything is hidden by it (T7)."""

import asyncio
from datetime import timedelta

import pytest

from shared.adapters.dynamodb.audit_blocks import block_item, head_item
from shared.adapters.dynamodb.audit_mending import DynamoHeads
from shared.audit.acts import ADMINISTRATOR
from shared.audit.chain import Link, genesis, make_block
from shared.audit.events import EventKind, read_line
from shared.audit.heads import DamagedHeadError
from shared.audit.mending import AuditLogTooLongError, HeadMending
from shared.audit.ports import UnreadableBlockError
from shared.operations.registry import load_operation
from tests.audit.logs import CLOCK
from tests.audit.samples import chain, event, events
from tests.audit.stored_items import with_lines

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

DAMAGES = {
    "another hash": lambda head: {**head, "hash": {"B": bytes(32)}},
    "an earlier line": lambda head: {**head, "seq": {"N": "10"}},
    "unreadable": lambda head: {**head, "hash": {"B": b"short"}},
    "more than it was": lambda head: {**head, "note": {"S": "x"}},
    "gone": lambda head: None,
}
damaged = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)


@pytest.fixture
def mend(functions):
    async def mended(log):
        return await functions.invoke(load_operation("audit", "mend_audit_head"), {"tenant": log.tenant})

    return mended


def do(damage, log):
    changed = damage(log.head_item())
    log.delete(log.head_item()) if changed is None else log.put(changed)


def faults(answer):
    return [(finding["fault"], finding["first_seq"], finding["last_seq"]) for finding in answer["findings"]]


@damaged
@pytest.mark.parametrize("anchored", [False, True], ids=["", "anchored"])
async def test_a_damaged_head_is_mended_and_what_waited_is_sealed(log, mend, damage, anchored):
    written = await log.write(25, at_once=10)
    end = await log.blocks.head(log.tenant)
    if anchored:
        await log.anchoring.anchor(log.tenant)
    do(damage, log)
    waiting = await log.record(3)

    answer = await mend(log)

    assert answer == {"outcome": "mended", "seq": 25, "hash": end.hash.hex(), "findings": []}
    assert await log.blocks.head(log.tenant) == end
    assert await log.sealer().seal(log.tenant) == 4
    sealed = [one for _, one in await log.sealed()]
    assert sealed[:28] == [*written, *waiting]
    assert await log.findings() == ()
    (told,) = sealed[28:]
    assert (told.operation, told.actor, told.kind) == ("mend_audit_head", ADMINISTRATOR, EventKind.WRITE)
    assert (told.resource, told.outcome) == ("audit-log/head", "done")
    assert (await mend(log))["outcome"] == "sound"


async def test_a_sound_head_is_left_alone(log, mend):
    assert await mend(log) == {"outcome": "sound", "seq": 0, "hash": genesis(log.tenant).hash.hex(), "findings": []}
    await log.write(3)
    before = log.items()

    assert (await mend(log))["outcome"] == "sound"

    assert log.items() == before


@damaged
async def test_nothing_is_mended_that_would_hide_an_altered_line(log, mend, damage):
    await log.write(25, at_once=10)
    second = log.block_items()[1]
    log.put(with_lines(second, lambda lines: lines.replace(b"viewer", b"owner ", 1)))
    do(damage, log)
    before = log.items()

    answer = await mend(log)

    assert (answer["outcome"], faults(answer)) == ("refused", [("altered", 11, 20)])
    assert log.items() == before


async def test_nothing_is_mended_that_differs_from_an_anchor(log, mend):
    await log.write(10)
    await log.anchoring.anchor(log.tenant)
    (block,) = await log.blocks.blocks_after(log.tenant, 0, 10)
    told = [read_line(line)[1] for line in block.lines]
    log.put(block_item(make_block(log.tenant, genesis(log.tenant), [event(log.tenant), *told[1:]])))

    answer = await mend(log)

    assert (answer["outcome"], faults(answer)) == ("refused", [("anchor-differs", 10, 10)])


@pytest.mark.parametrize("anchored", [False, True], ids=["", "anchored"])
@pytest.mark.parametrize("left", [0, 2])
async def test_nothing_is_mended_that_would_hide_a_cut(log, mend, anchored, left):
    await log.write(30, at_once=10)
    if anchored:
        await log.anchoring.anchor(log.tenant)
    for block in log.block_items()[left:]:
        log.delete(block)
    log.put({**log.head_item(), "hash": {"B": b"short"}})

    answer = await mend(log)

    assert answer["outcome"] == "refused"
    assert {fault for fault, _, _ in faults(answer)} == {"truncated"}
    assert (faults(answer)[0][1], faults(answer)[-1][2]) == (10 * left + 1, 30)


async def test_a_head_that_tells_of_more_than_there_is_is_not_taken_back(log, mend):
    await log.write(20, at_once=10)
    log.delete(log.block_items()[-1])

    answer = await mend(log)

    assert (answer["outcome"], faults(answer)) == ("refused", [("truncated", 11, 20)])
    assert (await log.blocks.head(log.tenant)).seq == 20


async def test_lines_that_no_event_was_sealed_as_are_not_taken_over(log, mend):
    await log.write(2)
    head = await log.blocks.head(log.tenant)
    forged = event(log.tenant)
    log.put(block_item(make_block(log.tenant, head, [forged])))

    answer = await mend(log)

    assert (answer["outcome"], faults(answer)) == ("refused", [("beyond-head", 3, 3)])
    assert await log.blocks.head(log.tenant) == head


async def test_what_cannot_be_read_is_told_and_left(log, mend):
    await log.write(2)
    (block,) = log.block_items()
    log.put({**block, "previous_hash": {"B": b""}})
    log.delete(log.head_item())

    answer = await mend(log)

    assert (answer["outcome"], faults(answer)[0]) == ("refused", ("unreadable", 1, 1))


async def test_a_head_without_any_line_is_taken_away(log, mend):
    log.put({**head_item(log.tenant, Link(1, bytes(32))), "hash": {"B": b""}})

    assert (await mend(log))["outcome"] == "mended"

    assert "head" not in log.items()
    assert await log.sealer().seal(log.tenant) == 1


async def test_a_head_that_was_mended_meanwhile_goes_on(log):
    await log.write(2)
    end = await log.blocks.head(log.tenant)
    await log.write(2)
    now = await log.blocks.head(log.tenant)

    assert not await DynamoHeads(log.cloud.dynamodb, log.table).put_head(log.tenant, end, event(log.tenant))

    assert await log.blocks.head(log.tenant) == now
    assert log.waiting() == []


async def test_a_log_that_is_too_long_for_one_call_is_not_mended(log):
    blocks = chain(201, log.tenant, in_block=1)
    for block in blocks:
        log.put(block_item(block))
    mending = HeadMending(DynamoHeads(log.cloud.dynamodb, log.table), log.anchors, CLOCK)

    with pytest.raises(AuditLogTooLongError):
        await mending.mend(log.tenant, most_parts=1)

    assert "head" not in log.items()


class DamagesOnSecondLook:
    """Anchors that are looked at by verification, and then for the marks, before which somebody changes the blocks."""

    def __init__(self, log):
        self._log = log
        self._looks = 0

    def anchors_after(self, tenant, seq):
        self._looks += 1
        if self._looks == 2:
            for item in self._log.block_items():
                self._log.put({name: value for name, value in item.items() if name != "lines"})
        return self._log.anchors.anchors_after(tenant, seq)


async def test_what_is_damaged_while_it_is_looked_at_is_told_and_nothing_is_mended(log):
    for block in chain(3, log.tenant, in_block=1):
        log.put(block_item(block))
    heads = DynamoHeads(log.cloud.dynamodb, log.table)

    with pytest.raises(UnreadableBlockError):
        async with asyncio.timeout(20):
            await HeadMending(heads, DamagesOnSecondLook(log), CLOCK).mend(log.tenant, most_parts=10)

    assert "head" not in log.items()


@damaged
async def test_a_damaged_head_is_not_anchored_and_nothing_is_sealed_behind_it(log, damage):
    await log.write(25, at_once=10)
    do(damage, log)
    before = log.block_items()
    await log.recorder.record(log.tenant, events(2, log.tenant, since=CLOCK.now() - timedelta(minutes=3)))

    for work in (log.sealer().seal, log.anchoring.anchor):
        with pytest.raises((DamagedHeadError, UnreadableBlockError)):
            await work(log.tenant)

    assert log.block_items() == before
    assert len(log.waiting()) == 2
    assert [anchor async for anchor in log.anchors.anchors_after(log.tenant, 0)] == []
