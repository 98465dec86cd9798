"""`seal_audit_events` and `seal_leftover_events`: whatever is recorded gets into the chain, once (T7)."""

import asyncio
import json
from datetime import timedelta
from operator import attrgetter
from pathlib import Path

import pytest

from shared.audit.chain import MOST_EVENTS
from shared.audit.events import AuditEventId, read_event
from shared.kernel.ids import TenantId
from shared.operations.registry import load_operation
from tests.audit.logs import CLOCK, Log
from tests.audit.samples import event, events

EVENTS = Path(__file__).resolve().parents[2] / "events"
pytestmark = [pytest.mark.real_server, pytest.mark.slow]


async def test_an_event_that_the_stream_tells_of_is_sealed_once(cloud, functions):
    added = json.loads((EVENTS / "dynamodb" / "audit_event_added.json").read_text())
    (record,) = added["Records"]
    acme = Log(cloud, TenantId("acme"))
    acme.put(record["dynamodb"]["NewImage"])

    for _ in range(2):
        assert await functions.invoke(load_operation("audit", "seal_audit_events"), added) == {"batchItemFailures": []}

    told = read_event(record["dynamodb"]["NewImage"]["event"]["S"])
    assert await acme.sealed() == [(1, told)]
    assert await acme.findings() == ()


async def test_what_sealing_itself_writes_is_passed_over(cloud, functions):
    sealed = json.loads((EVENTS / "dynamodb" / "audit_event_sealed.json").read_text())

    answer = await functions.invoke(load_operation("audit", "seal_audit_events"), sealed)

    assert answer == {"batchItemFailures": []}


async def test_events_stand_in_the_order_of_their_time_in_blocks_that_a_transaction_takes(log):
    recorded = await log.record(2 * MOST_EVENTS + 5)

    assert await log.sealer().seal(log.tenant) == len(recorded)

    assert await log.sealed() == list(enumerate(recorded, start=1))
    sizes = [int(item["last_seq"]["N"]) - int(item["first_seq"]["N"]) + 1 for item in log.block_items()]
    assert sizes == [MOST_EVENTS, MOST_EVENTS, 5]
    assert log.waiting() == []
    assert await log.findings() == ()


async def test_the_longest_events_fit_into_a_transaction(log):
    long = "\\" * 600  # takes twice its room in JSON
    largest = [
        event(log.tenant, actor=long, role=long, key_id=long, resource=long, outcome=long, ip=long, request_id=long)
        for _ in range(MOST_EVENTS)
    ]
    await log.recorder.record(log.tenant, largest)

    assert await log.sealer().seal(log.tenant) == MOST_EVENTS

    (block,) = log.block_items()
    assert 200_000 < len(block["lines"]["B"]) < 400_000
    assert await log.findings() == ()


async def test_nothing_is_sealed_where_nothing_waits(log):
    assert await log.sealer().seal(log.tenant) == 0

    assert log.items() == {}


async def test_many_sealers_at_once_seal_everything_once(log):
    recorded = await log.record(500)
    sealers = [log.sealer() for _ in range(6)]

    await asyncio.gather(*(sealer.seal(log.tenant) for sealer in sealers for _ in range(3)))

    assert sorted(one.event_id for _, one in await log.sealed()) == [one.event_id for one in recorded]
    assert await log.findings() == ()


async def test_tenants_have_logs_of_their_own(log, other_log):
    mine, theirs = await log.record(3), await other_log.record(2)

    await log.sealer().seal(log.tenant)

    assert await log.sealed() == list(enumerate(mine, start=1))
    assert len(other_log.waiting()) == len(theirs)
    assert await other_log.sealed() == []


async def test_an_event_that_was_sealed_is_known_for_longer_than_messages_live(log):
    (sealed,) = await log.write(1)

    (item,) = log.items("pending#").values()
    assert item.keys() == {"pk", "sk", "seq", "expires_at"}
    assert int(item["expires_at"]["N"]) > (CLOCK.now() + timedelta(days=14 + 14 + 4)).timestamp()
    await log.recorder.record(log.tenant, [sealed])
    assert await log.sealer().seal(log.tenant) == 0


async def test_leftovers_are_sealed_by_the_schedule(cloud, functions, log, other_log):
    old = await log.record(3)
    young = event(other_log.tenant, CLOCK.now())
    await other_log.recorder.record(other_log.tenant, [young])
    tick = json.loads((EVENTS / "schedule" / "every_minute.json").read_text())

    answer = await functions.invoke(load_operation("audit", "seal_leftover_events"), tick)

    assert answer["sealed"] >= len(old)
    assert [one for _, one in await log.sealed()] == old
    assert len(other_log.waiting()) == 1


async def test_a_log_that_cannot_be_sealed_keeps_no_other_waiting(cloud, functions, log, other_log):
    await log.write(1)
    log.put({**log.head_item(), "hash": {"B": b"too short"}})
    await log.record(2)
    recorded = await other_log.record(2)

    with pytest.raises(ExceptionGroup):
        await functions.invoke(load_operation("audit", "seal_leftover_events"), {})

    assert [one for _, one in await other_log.sealed()] == recorded
    assert len(log.waiting()) == 2
    for item in log.items().values():
        log.delete(item)


async def test_a_late_index_neither_doubles_nor_loses_an_event(log):
    """The index still lists what was just sealed."""
    recorded = await log.record(4)
    await log.sealer().seal(log.tenant)
    late = sorted((event(log.tenant, CLOCK.now()) for _ in range(2)), key=attrgetter("event_id"))
    await log.recorder.record(log.tenant, late)
    sealer = log.sealer()

    async def listed(tenant, limit, after=None):
        return [] if after else [*recorded[2:], *late]

    sealer._store.pending = listed
    assert await sealer.seal(log.tenant) == 2

    assert [one.event_id for _, one in await log.sealed()] == [one.event_id for one in [*recorded, *late]]


async def test_calls_at_the_same_time_share_a_look(log):
    await log.record(5)
    sealer, looks = log.sealer(), []
    really = sealer._store.pending

    async def counted(*arguments):
        looks.append(arguments)
        return await really(*arguments)

    sealer._store.pending = counted
    assert await asyncio.gather(*(sealer.seal(log.tenant) for _ in range(50))) == [5] * 50

    assert len(looks) <= 2


async def test_a_call_during_a_look_is_answered_by_a_later_one(log):
    sealer, begun = log.sealer(), asyncio.Event()
    really = sealer._store.pending

    async def slow(*arguments):
        found = await really(*arguments)
        begun.set()
        await asyncio.sleep(0.05)
        return found

    sealer._store.pending = slow
    first = asyncio.create_task(sealer.seal(log.tenant))
    await begun.wait()
    await log.record(3)

    assert await sealer.seal(log.tenant) == 3
    assert await first == 0


async def test_an_id_belongs_to_one_tenant(log, other_log):
    (mine,) = events(1, log.tenant)

    with pytest.raises(ValueError, match="one tenant"):
        await log.recorder.record(other_log.tenant, [mine])

    assert mine.event_id.startswith("aud_")
    assert isinstance(AuditEventId(mine.event_id), str)
