"""Counters of tenants and their waiting lines: what every store of them must promise (T1, T4)."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.dynamodb.records import DynamoRecords
from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId, new_id
from shared.knowledge.config import KnowledgeBaseConfig
from shared.knowledge.errors import CapacityExhaustedError, DocumentLimitError, NoPlaceError, StaleWriteError
from shared.knowledge.models import KnowledgeBase, Line, Tally, TenantTally, Ticket
from shared.knowledge.ports import (
    CheckTally,
    Count,
    CountTenant,
    Due,
    Enter,
    Leave,
    MoveInLine,
    Put,
    Turn,
    WatchLine,
)
from shared.operations.capabilities import METADATA
from tests.ingestion.memory import MemoryRecords
from tests.records import transactions_of

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
BASE = KnowledgeBaseId("kb_" + "0" * 26)
GLOBEX = TenantId("globex")


@pytest.fixture(params=["memory", pytest.param("dynamodb", marks=pytest.mark.real_server)])
def records(request):
    if request.param == "memory":
        return MemoryRecords()
    cloud = request.getfixturevalue("cloud")
    return DynamoRecords(transactions_of(cloud), cloud.address_of(METADATA))


@pytest.fixture
def acme():
    return TenantId(new_id("acme", NOW))


def base_of(tenant):
    return KnowledgeBase(tenant, KnowledgeBaseId(new_id("kb", NOW)), "Base", KnowledgeBaseConfig(), NOW, NOW)


def ticket(number):
    return Ticket(f"{number:013d}-doc", BASE, DocumentId(f"doc_{number:026d}"))


async def test_nobody_has_anything_yet(records, acme):
    assert await records.tenant_tally(acme) == TenantTally()
    assert await records.line(acme) == Line()
    assert await records.waiting(acme, 10) == []


async def test_what_a_tenant_has_adds_up(records, acme):
    await records.commit(acme, [CountTenant(knowledge_bases=2, documents=3, bytes=500)])
    await records.commit(acme, [CountTenant(knowledge_bases=-1, bytes=-200)])

    assert await records.tenant_tally(acme) == TenantTally(1, 3, 300)
    assert await records.tenant_tally(GLOBEX) == TenantTally()


@pytest.mark.parametrize(
    ("what", "count"),
    [
        ("knowledge_bases", CountTenant(knowledge_bases=1, knowledge_base_limit=3)),
        ("storage_bytes", CountTenant(bytes=1, byte_limit=3)),
    ],
)
async def test_exactly_as_much_as_the_plan_allows_however_many_ask_at_once(records, acme, what, count):
    answers = await asyncio.gather(*(_one_more(records, acme, count) for _ in range(12)))

    refusals = [answer for answer in answers if answer is not None]
    assert len(refusals) == 9
    assert refusals[0].facts == {"what": what, "limit": 3, "used": 3}
    tally = await records.tenant_tally(acme)
    assert tally.knowledge_bases + tally.bytes == 3


async def _one_more(records, tenant, count):
    while True:
        try:
            await records.commit(tenant, [Put(base_of(tenant)), count])
        except StaleWriteError:
            continue  # it met the others too often
        except CapacityExhaustedError as error:
            return error
        return None


async def test_nothing_fits_where_the_plan_allows_nothing(records, acme):
    with pytest.raises(CapacityExhaustedError) as refused:
        await records.commit(acme, [CountTenant(bytes=1, byte_limit=0)])

    assert refused.value.facts == {"what": "storage_bytes", "limit": 0, "used": 0}


async def test_giving_back_is_never_refused(records, acme):
    await records.commit(acme, [CountTenant(bytes=100)])
    await records.commit(acme, [CountTenant(bytes=-40)])

    assert (await records.tenant_tally(acme)).bytes == 60


async def test_a_refusal_of_a_base_says_how_full_it_is(records, acme):
    await records.commit(acme, [Count(BASE, documents=2)])

    with pytest.raises(DocumentLimitError) as refused:
        await records.commit(acme, [Count(BASE, documents=1, limit=2)])

    assert refused.value.facts == {"limit": 2, "used": 2}


async def test_a_base_can_be_released_only_as_it_was_read(records, acme):
    await records.commit(acme, [CheckTally(BASE, Tally()), CountTenant(documents=1)])
    await records.commit(acme, [Count(BASE, documents=2, bytes=70)])
    await records.commit(acme, [Count(BASE, publishes=1)])

    with pytest.raises(StaleWriteError):
        await records.commit(acme, [CheckTally(BASE, Tally()), CountTenant(documents=-2)])
    await records.commit(acme, [CheckTally(BASE, Tally(2, 0, 70)), CountTenant(documents=-1)])

    assert await records.tally(acme, BASE) == Tally(2, 1, 70)
    assert (await records.tenant_tally(acme)).documents == 0


async def test_a_stale_record_outweighs_a_limit(records, acme):
    base = base_of(acme)
    await records.commit(acme, [Put(base)])

    with pytest.raises(StaleWriteError):
        await records.commit(acme, [Put(base), CountTenant(knowledge_bases=1, knowledge_base_limit=0)])


async def test_new_documents_take_free_places_and_then_none(records, acme):
    new = MoveInLine(processing=1, turn=Turn.UNLESS_OTHERS_WAIT, places=2)
    await records.commit(acme, [new])
    await records.commit(acme, [new])

    with pytest.raises(NoPlaceError):
        await records.commit(acme, [new])

    assert await records.line(acme) == Line(processing=2, places=2)


async def test_new_documents_do_not_overtake_those_who_wait(records, acme):
    await records.commit(acme, [Enter(ticket(1)), MoveInLine(waiting=1, places=2, look_at=NOW)])

    with pytest.raises(NoPlaceError):
        await records.commit(acme, [MoveInLine(processing=1, turn=Turn.UNLESS_OTHERS_WAIT, places=2)])
    await records.commit(acme, [Leave(ticket(1).place), MoveInLine(1, -1, turn=Turn.NEXT)])

    assert await records.line(acme) == Line(processing=1, waiting=0, places=2)
    assert await records.waiting(acme, 10) == []


async def test_as_long_as_nobody_said_how_many_places_there_are_there_are_none(records, acme):
    with pytest.raises(NoPlaceError):
        await records.commit(acme, [MoveInLine(processing=1, turn=Turn.UNLESS_OTHERS_WAIT)])
    with pytest.raises(NoPlaceError):
        await records.commit(acme, [MoveInLine(processing=1, turn=Turn.UNLESS_OTHERS_WAIT, places=0)])


async def test_more_places_are_free_from_the_moment_they_are_noted(records, acme):
    await records.commit(acme, [MoveInLine(processing=1, places=1)])
    with pytest.raises(NoPlaceError):
        await records.commit(acme, [MoveInLine(1, -1, turn=Turn.NEXT)])

    await records.commit(acme, [WatchLine(places=2, due=None)])
    await records.commit(acme, [MoveInLine(1, 0, turn=Turn.NEXT)])

    assert await records.line(acme) == Line(processing=2, waiting=0, places=2)


async def test_the_line_is_in_the_order_of_waiting_and_each_tenant_has_its_own(records, acme):
    for number in (3, 1, 2):
        await records.commit(acme, [Enter(ticket(number)), MoveInLine(waiting=1)])

    assert await records.waiting(acme, 2) == [ticket(1), ticket(2)]
    assert await records.waiting(acme, 10) == [ticket(1), ticket(2), ticket(3)]
    assert await records.waiting(GLOBEX, 10) == []


async def test_a_line_is_due_as_long_as_somebody_waits(records, acme):
    later = NOW + timedelta(seconds=60)
    await records.commit(acme, [MoveInLine(waiting=1, look_at=NOW)])
    await records.commit(acme, [MoveInLine(waiting=1, look_at=later)])
    assert await _due(records, acme, NOW) == [Due(acme, None, None)], "who comes later must not put it off"

    with pytest.raises(StaleWriteError):
        await records.commit(acme, [WatchLine(places=1, due=None)])
    await records.commit(acme, [WatchLine(places=1, due=later)])
    assert await _due(records, acme, NOW) == []
    assert await _due(records, acme, later) == [Due(acme, None, None)]

    await records.commit(acme, [MoveInLine(waiting=-2)])
    await records.commit(acme, [WatchLine(places=1, due=None)])
    assert await _due(records, acme, later) == []


async def _due(records, tenant, moment):
    return [due async for due in records.due_records(moment, 1000) if due.tenant == tenant]


async def test_a_commit_that_is_refused_changes_nothing(records, acme):
    base = base_of(acme)
    refused = [
        Put(base),
        Count(base.kb_id, documents=1, bytes=5),
        CountTenant(bytes=5, byte_limit=4),
        Enter(ticket(1)),
        MoveInLine(waiting=1, look_at=NOW),
    ]

    with pytest.raises(CapacityExhaustedError):
        await records.commit(acme, refused)

    assert await records.knowledge_base(acme, base.kb_id) is None
    assert await records.tally(acme, base.kb_id) == Tally()
    assert await records.tenant_tally(acme) == TenantTally()
    assert (await records.line(acme), await records.waiting(acme, 1)) == (Line(), [])
    await records.commit(acme, [*refused[:2], CountTenant(bytes=5, byte_limit=5), *refused[3:]])
    assert (await records.tenant_tally(acme)).bytes == 5
