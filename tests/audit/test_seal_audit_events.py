"""`seal_audit_events` and `seal_leftover_events`: whatever is recorded gets into the chain, once (T7)."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import Context
from datetime import timedelta
from operator import attrgetter
from pathlib import Path

import pytest

from shared.adapters.dynamodb.audit_keys import pending_item
from shared.adapters.dynamodb.audit_packing import MOST_BYTES, unpack
from shared.adapters.dynamodb.audit_waiting import WaitingItems
from shared.audit.chain import MOST_EVENTS
from shared.audit.events import AuditEventId, canonical, read_event
from shared.composition.entry import build_handler
from shared.kernel.ids import TenantId
from shared.operations.registry import load_operation
from tests.audit.logs import CLOCK, Log
from tests.audit.samples import MORNING, event, events
from tests.ingestion.functions import CONTEXT

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
    unpacked = b"\n".join(unpack(block["lines"]["B"]))
    assert 200_000 < len(unpacked) < MOST_BYTES
    assert len(block["lines"]["B"]) < len(unpacked) / 5
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


async def test_the_schedule_tells_how_much_waits_and_for_how_long(cloud, log, other_log):
    young = [event(log.tenant, CLOCK.now() - timedelta(seconds=20 + number)) for number in range(3)]
    await log.recorder.record(log.tenant, young)
    old = event(other_log.tenant, CLOCK.now() - timedelta(minutes=9))
    await other_log.recorder.record(other_log.tenant, [old])
    told = Told()
    schedule = build_handler(load_operation("audit", "seal_leftover_events"), cloud.settings, told)

    await asyncio.to_thread(Context().run, schedule, {}, CONTEXT)
    first = told.noted
    told.noted = {}
    await asyncio.to_thread(Context().run, schedule, {}, CONTEXT)

    assert first["audit_events_waiting"] >= 4
    assert first["audit_oldest_waiting"] >= 9 * 60_000
    # What was old is sealed, and what is young waits on.
    assert 3 <= told.noted["audit_events_waiting"] < first["audit_events_waiting"]
    assert 20_000 <= told.noted["audit_oldest_waiting"] < 60_000
    assert len(log.waiting()) == 3
    await log.sealer().seal(log.tenant)


class Told:
    """Telemetry that a test can read."""

    def __init__(self):
        self.noted = {}

    def count(self, name, amount=1):
        self.noted[name] = self.noted.get(name, 0) + amount

    def duration(self, name, milliseconds):
        self.noted[name] = milliseconds

    def span(self, name):
        return nullcontext()

    def flush(self):
        pass


async def test_who_waits_behind_very_much_of_another_log_is_found(cloud, log, other_log, monkeypatch):
    really = log.cloud.dynamodb.scan
    monkeypatch.setattr(log.cloud.dynamodb, "scan", lambda **named: really(**named, Limit=3))
    await log.record(20)
    await other_log.record(20)
    items = WaitingItems(log.cloud.dynamodb, log.table, pages=1)

    for _ in range(3):
        waiting = items.since("pending#")
        assert {log.tenant, other_log.tenant} <= waiting.since_by_tenant.keys()
        assert waiting.events >= 6

    for one in (log, other_log):
        await one.sealer().seal(one.tenant)


@pytest.mark.parametrize(
    "damage",
    [
        lambda block: {**block, "lines": {"B": block["lines"]["B"][:-9] + bytes(9)}},
        lambda block: {**block, "last_hash": {"B": bytes(32)}},
        lambda block: {**block, "last_seq": {"N": "99"}},
        lambda block: {**block, "lines": {"S": "none"}},
        lambda block: None,
    ],
    ids=["its lines", "its hash", "its end", "no block at all", "gone"],
)
async def test_a_last_block_that_was_changed_keeps_nothing_waiting(log, damage):
    await log.write(20, at_once=10)
    block = log.block_items()[-1]
    changed = damage(block)
    log.delete(block) if changed is None else log.put(changed)
    recorded = await log.record(3)

    assert await log.sealer().seal(log.tenant) == 3

    assert [one for _, one in await log.sealed_behind(20)] == recorded
    assert await log.findings()


async def test_a_damaged_head_is_left_to_the_schedule(cloud, functions, log):
    await log.write(1)
    head = log.head_item()
    log.put({**head, "hash": {"B": bytes(32)}})
    (waiting,) = await log.record(1)
    added = json.loads((EVENTS / "dynamodb" / "audit_event_added.json").read_text())
    added["Records"][0]["dynamodb"] |= {
        "Keys": {"pk": {"S": f"t#{log.tenant}"}, "sk": {"S": f"pending#{waiting.event_id}"}}
    }
    told = Told()
    consumer = build_handler(load_operation("audit", "seal_audit_events"), cloud.settings, told)

    answer = await asyncio.to_thread(Context().run, consumer, added, CONTEXT)

    assert answer == {"batchItemFailures": []}
    assert told.noted == {"audit_head_damaged": 1}
    assert len(log.waiting()) == 1
    with pytest.raises(ExceptionGroup):
        await functions.invoke(load_operation("audit", "seal_leftover_events"), {})
    log.put(head)
    assert await log.sealer().seal(log.tenant) == 1


async def test_a_log_that_cannot_be_sealed_keeps_no_other_waiting(cloud, functions, log, other_log):
    await log.write(1)
    log.put({**log.head_item(), "hash": {"B": b"too short"}})
    await log.record(2)
    recorded = await other_log.record(2)

    with pytest.raises(ExceptionGroup):
        await functions.invoke(load_operation("audit", "seal_leftover_events"), {})

    assert [one for _, one in await other_log.sealed()] == recorded
    assert len(log.waiting()) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda item, _: {**item, "event": {"S": "{}"}},
        lambda item, _: {**item, "event": {"N": "1"}},
        lambda item, _: {name: item[name] for name in item.keys() - {"event"}},
        lambda item, other: {**item, "event": {"S": canonical(other)}},
    ],
    ids=["no event", "no text", "nothing", "another log's event"],
)
async def test_what_waits_and_is_no_event_of_the_log_keeps_nothing_waiting(cloud, functions, log, other_log, change):
    """More of it than a block takes, and before all others."""
    (other,) = events(1, other_log.tenant)
    strange = [change(pending_item(one), other) for one in events(MOST_EVENTS + 5, log.tenant, since=MORNING)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(log.put, strange))
    recorded = await log.record(3)

    assert await functions.invoke(load_operation("audit", "seal_leftover_events"), {})

    assert [one for _, one in await log.sealed()] == recorded
    assert len(log.waiting()) == len(strange)
    assert other_log.items() == {}


async def test_what_waits_since_no_moment_keeps_no_log_waiting(cloud, functions, log, other_log):
    (strange,) = events(1, log.tenant)
    log.put({**pending_item(strange), "pending_at": {"N": "9" * 30}})
    recorded = await other_log.record(2)

    await functions.invoke(load_operation("audit", "seal_leftover_events"), {})

    assert [one for _, one in await other_log.sealed()] == recorded
    assert [one for _, one in await log.sealed()] == [strange]


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
