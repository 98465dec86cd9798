"""`verify_audit_log` on real stores: what an intruder with the right to write the table does is found (T7)."""

import pytest

from shared.adapters.dynamodb.audit_blocks import block_item, head_item
from shared.audit.chain import Link, genesis, make_block
from shared.audit.events import read_line
from shared.audit.verification import Fault, Progress
from shared.audit.verification_bodies import write_progress
from shared.operations.registry import load_operation
from tests.audit.samples import event
from tests.audit.stored_items import with_lines

pytestmark = [pytest.mark.real_server, pytest.mark.slow]


def faults(findings):
    return [(finding.fault, finding.first_seq, finding.last_seq) for finding in findings]


async def test_an_untouched_log_is_intact(log):
    await log.write(250, at_once=40)
    await log.anchoring.anchor(log.tenant)
    await log.write(10)

    whole = await log.verification.verify_all(log.tenant, None, 1_000)

    assert (whole.first_seq, whole.last_seq, whole.events) == (1, 260, 260)
    assert (whole.findings, whole.following) == ((), None)
    assert whole.end == await log.blocks.head(log.tenant)


async def test_a_log_without_lines_is_intact(log):
    whole = await log.verification.verify_part(log.tenant)

    assert (whole.first_seq, whole.last_seq, whole.findings, whole.following) == (1, 0, (), None)


async def test_parts_continue_one_another(log):
    await log.write(50, at_once=10)
    await log.anchoring.anchor(log.tenant)

    parts = [await log.verification.verify_part(log.tenant, None, most_blocks=2)]
    while parts[-1].following is not None:
        parts.append(await log.verification.verify_part(log.tenant, parts[-1].following, most_blocks=2))

    assert [(part.first_seq, part.last_seq) for part in parts] == [(1, 20), (21, 40), (41, 50)]
    assert [finding for part in parts for finding in part.findings] == []


async def test_a_block_that_was_taken_away_is_missed(log):
    await log.write(30, at_once=10)
    log.delete(log.block_items()[1])

    assert faults(await log.findings()) == [(Fault.MISSING, 11, 20)]


@pytest.mark.parametrize("anchored", [False, True])
async def test_an_end_that_was_cut_off_is_missed(log, anchored):
    await log.write(30, at_once=10)
    if anchored:
        await log.anchoring.anchor(log.tenant)
    blocks = log.block_items()
    log.delete(blocks[-1])
    if anchored:
        # The intruder knows about heads.
        log.put(head_item(log.tenant, (await log.blocks.blocks_after(log.tenant, 0, 10))[-1].end))

    assert faults(await log.findings()) == [(Fault.TRUNCATED, 21, 30)]


async def test_a_log_that_was_emptied_is_missed(log):
    await log.write(3)
    await log.anchoring.anchor(log.tenant)
    for item in log.items().values():
        log.delete(item)

    assert faults(await log.findings()) == [(Fault.TRUNCATED, 1, 3)]


async def test_blocks_that_changed_places_are_found(log):
    await log.write(20, at_once=10)
    first, second = log.block_items()
    log.put({**first, "sk": second["sk"]})
    log.put({**second, "sk": first["sk"]})

    assert faults(await log.findings()) == [
        (Fault.UNREADABLE, 1, 1),
        (Fault.MISSING, 2, 10),
        (Fault.UNREADABLE, 11, 11),
        (Fault.TRUNCATED, 12, 20),
    ]


async def test_a_chain_that_was_made_anew_differs_from_its_anchor(log):
    await log.write(10)
    await log.anchoring.anchor(log.tenant)
    (block,) = await log.blocks.blocks_after(log.tenant, 0, 10)
    told = [read_line(line)[1] for line in block.lines]
    forged = make_block(log.tenant, genesis(log.tenant), [*told[:4], event(log.tenant, actor="usr_x"), *told[5:]])
    log.put(block_item(forged))
    log.put(head_item(log.tenant, forged.end))

    assert faults(await log.findings()) == [(Fault.ANCHOR_DIFFERS, 10, 10)]


async def test_lines_behind_the_head_are_found(log):
    await log.write(2)
    head = await log.blocks.head(log.tenant)
    log.put(block_item(make_block(log.tenant, head, [event(log.tenant)])))

    assert faults(await log.findings()) == [(Fault.BEYOND_HEAD, 3, 3)]


async def test_a_head_that_is_gone_or_differs_is_found(log):
    await log.write(2)
    head = log.head_item()
    log.put({**head, "hash": {"B": bytes(32)}})
    assert faults(await log.findings()) == [(Fault.HEAD_DIFFERS, 2, 2)]

    log.put({**head, "hash": {"B": b"short"}})
    assert faults(await log.findings()) == [(Fault.UNREADABLE, 2, 2)]

    log.delete(head)
    assert faults(await log.findings()) == [(Fault.HEAD_DIFFERS, 2, 2)]


async def test_an_anchor_that_nobody_wrote_is_found(log):
    await log.write(2)
    head = await log.blocks.head(log.tenant)
    await log.anchors.anchor(log.tenant, head)
    await log.anchors.anchor(log.tenant, Link(2, bytes(32)))

    assert faults(await log.findings()) == [(Fault.ANCHOR_DIFFERS, 2, 2)]


async def test_one_change_is_found_once_also_across_parts(log):
    await log.write(40, at_once=10)
    second = log.block_items()[1]
    log.put(with_lines(second, lambda lines: lines.replace(b"viewer", b"owner ", 1)))

    part, found = None, []
    while part is None or part.following is not None:
        part = await log.verification.verify_part(log.tenant, part and part.following, most_blocks=2)
        found += part.findings

    assert faults(found) == [(Fault.ALTERED, 11, 20)]


async def test_sealing_while_it_is_verified_is_no_finding(log):
    await log.write(3)
    really, more = log.blocks.stored_after, [4, 4]

    async def stored_after(*arguments):
        found = await really(*arguments)
        if more:
            await log.write(more.pop())
        return found

    log.blocks.stored_after = stored_after
    whole = await log.verification.verify_part(log.tenant)

    assert (whole.findings, whole.following) == ((), None)
    assert whole.last_seq >= 3


async def test_the_command_verifies_the_whole_log_and_goes_on_from_a_token(cloud, functions, log):
    await log.write(5)
    command = load_operation("audit", "verify_whole_audit_log")

    answer = await functions.invoke(command, {"tenant": log.tenant})

    assert (answer["is_intact"], answer["first_seq"], answer["last_seq"]) == (True, 1, 5)
    assert (answer["events"], answer["findings"], answer["next_page_token"]) == (5, [], None)
    token = write_progress(log.tenant, Progress.at(await log.blocks.head(log.tenant)))
    await log.write(2)
    further = await functions.invoke(command, {"tenant": log.tenant, "page_token": token})
    assert (further["is_intact"], further["first_seq"], further["last_seq"]) == (True, 6, 7)
    log.delete(log.head_item())
    told = (await functions.invoke(command, {"tenant": log.tenant}))["findings"]
    assert told == [{"fault": "head-differs", "first_seq": 7, "last_seq": 7, "message": "The head is missing."}]
