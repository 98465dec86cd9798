"""Records of the ingestion protocol: what every store of them must promise (K2, K12, invariants 3, 4)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.dynamodb.live_documents import DynamoLiveDocuments
from shared.adapters.dynamodb.records import DynamoRecords
from shared.documents.canonical import DocumentWarning
from shared.kernel.ids import KnowledgeBaseId, TenantId, new_id
from shared.knowledge.config import KnowledgeBaseConfig
from shared.knowledge.errors import DocumentLimitError, KnowledgeBaseNotFoundError, StaleWriteError
from shared.knowledge.keys import document_id_of
from shared.knowledge.models import (
    Attempts,
    ContentClaim,
    Document,
    DocumentStatus,
    Failure,
    KnowledgeBase,
    Leftover,
    LiveGeneration,
    ObjectVersion,
    Purpose,
    Stage,
    Tally,
    Tombstone,
    Work,
)
from shared.knowledge.ports import Check, Count, Due, Put, Remove
from shared.operations.capabilities import METADATA
from tests.ingestion.memory import MemoryRecords
from tests.records import transactions_of

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SOURCE = ObjectVersion("v1", "etag", 12, "a" * 64)


@pytest.fixture(params=["memory", pytest.param("dynamodb", marks=pytest.mark.real_server)])
def records(request):
    if request.param == "memory":
        return MemoryRecords()
    cloud = request.getfixturevalue("cloud")
    return DynamoRecords(transactions_of(cloud), cloud.address_of(METADATA))


@pytest.fixture
def acme():
    return new_id("acme", NOW)


@pytest.fixture
def base(acme):
    return KnowledgeBase(acme, KnowledgeBaseId(new_id("kb", NOW)), "Base", KnowledgeBaseConfig(), NOW, NOW)


def document_of(base, name="a", **changes):
    key = f"t/{base.tenant}/kb/{base.kb_id}/{name}"
    plain = Document(
        base.tenant, base.kb_id, document_id_of(key), key, name, DocumentStatus.READY, Stage.DONE, NOW, NOW
    )  # fmt: skip
    return replace(plain, **changes)


async def test_what_was_never_written_is_not_there(records, base):
    assert await records.knowledge_base(base.tenant, base.kb_id) is None
    assert await records.document(base.tenant, base.kb_id, document_of(base).document_id) is None
    assert await records.claim(base.tenant, base.kb_id, "a" * 64) is None
    assert await records.tally(base.tenant, base.kb_id) == Tally()


async def test_a_record_comes_back_as_it_was_written(records, base):
    work = Work(
        4,
        2,
        Purpose.REINDEX,
        SOURCE,
        Stage.INDEXING,
        NOW,
        text_of=3,
        attempts={"index-1": Attempts(2, NOW, "me"), "publish": Attempts(1, NOW, None)},
        batches=3,
        batches_done=frozenset({0, 2}),
        warnings=(DocumentWarning.HIDDEN_TEXT_REMOVED,),
        timings_ms={"parsing": 12},
    )
    rich = document_of(
        base,
        metadata={"year": 2026.0, "lang": "de", "final": True, "ratio": 0.25, "one": 1.0},
        source=SOURCE,
        accepted=4,
        work=work,
        live={1: LiveGeneration(3, SOURCE, 2, 5, "pdf", None, (), NOW)},
        failure=Failure(2, "parse"),
        leftovers=(Leftover(1, 1, NOW), Leftover(2, 1, NOW, is_last=True)),
        buried=frozenset({"v0"}),
        due=NOW,
    )
    gone = document_of(base, "b", tombstone=Tombstone(NOW, by_request=True), status=DocumentStatus.DELETED)
    claim = ContentClaim(base.tenant, base.kb_id, "a" * 64, rich.document_id, (gone.document_id,))
    full = replace(base, target=2, newest=2, target_config=KnowledgeBaseConfig(vector_weight=0.75))

    await records.commit(base.tenant, [Put(full), Put(rich), Put(gone), Put(claim)])

    assert await records.document(base.tenant, base.kb_id, rich.document_id) == replace(rich, revision=1)
    assert await records.document(base.tenant, base.kb_id, gone.document_id) == replace(gone, revision=1)
    assert await records.claim(base.tenant, base.kb_id, "a" * 64) == replace(claim, revision=1)
    assert await records.knowledge_base(base.tenant, base.kb_id) == replace(full, revision=1)


async def test_a_stale_record_stops_the_whole_commit(records, base):
    document = document_of(base)
    await records.commit(base.tenant, [Put(base)])
    await records.commit(base.tenant, [Put(document)])
    seen = await records.document(base.tenant, base.kb_id, document.document_id)
    await records.commit(base.tenant, [Put(replace(seen, name="newer"))])
    seen_base = await records.knowledge_base(base.tenant, base.kb_id)

    for stale in (Put(seen), Check(seen), Remove(seen), Put(document)):
        with pytest.raises(StaleWriteError):
            await records.commit(base.tenant, [Put(replace(seen_base, name="renamed")), stale])
        with pytest.raises(StaleWriteError):
            await records.commit(base.tenant, [stale])

    assert (await records.knowledge_base(base.tenant, base.kb_id)).name == "Base"
    assert (await records.document(base.tenant, base.kb_id, document.document_id)).name == "newer"


async def test_a_removed_record_is_as_if_it_had_never_been(records, base):
    claim = ContentClaim(base.tenant, base.kb_id, "b" * 64, document_of(base).document_id)
    await records.commit(base.tenant, [Put(claim)])

    await records.commit(base.tenant, [Remove(replace(claim, revision=1)), Put(base)])
    await records.commit(base.tenant, [Put(claim)])

    assert (await records.claim(base.tenant, base.kb_id, "b" * 64)).revision == 1


async def test_counters_add_up_and_a_limit_holds(records, base):
    await records.commit(base.tenant, [Put(base), Count(base.kb_id, documents=1, limit=2)])
    await records.commit(base.tenant, [Put(document_of(base)), Count(base.kb_id, documents=1, publishes=1, limit=2)])

    with pytest.raises(DocumentLimitError):
        await records.commit(base.tenant, [Put(document_of(base, "b")), Count(base.kb_id, documents=1, limit=2)])
    await records.commit(base.tenant, [Put(document_of(base, "c")), Count(base.kb_id, documents=-1)])

    assert await records.tally(base.tenant, base.kb_id) == Tally(documents=1, publishes=1)


async def test_no_document_fits_under_a_limit_of_nothing(records, base):
    with pytest.raises(DocumentLimitError):
        await records.commit(base.tenant, [Put(document_of(base)), Count(base.kb_id, documents=1, limit=0)])


async def test_a_flip_fails_when_something_was_published_meanwhile(records, base):
    await records.commit(base.tenant, [Put(base), Count(base.kb_id, publishes_still=0)])
    await records.commit(base.tenant, [Put(document_of(base)), Count(base.kb_id, publishes=1)])
    seen = await records.knowledge_base(base.tenant, base.kb_id)

    with pytest.raises(StaleWriteError):
        await records.commit(base.tenant, [Put(seen), Count(base.kb_id, publishes_still=0)])
    await records.commit(base.tenant, [Put(seen), Count(base.kb_id, publishes_still=1)])


async def test_pages_are_in_order_and_complete(records, base):
    documents = sorted((document_of(base, f"n{number}") for number in range(7)), key=lambda found: found.document_id)
    for document in documents:
        await records.commit(base.tenant, [Put(document)])

    first = await records.documents(base.tenant, base.kb_id, 3)
    rest = await records.documents(base.tenant, base.kb_id, 10, first[-1].document_id)

    assert [found.document_id for found in first + rest] == [found.document_id for found in documents]
    assert await records.documents(base.tenant, base.kb_id, 5, documents[-1].document_id) == []


async def test_tenants_do_not_see_each_other(records, base):
    await records.commit(base.tenant, [Put(base), Put(document_of(base))])
    globex = new_id("globex", NOW)

    assert await records.knowledge_base(globex, base.kb_id) is None
    assert await records.documents(globex, base.kb_id, 10) == []
    assert await records.knowledge_bases(globex, 10) == []
    with pytest.raises(ValueError, match="tenant"):
        await records.commit(globex, [Put(document_of(base, "b"))])


async def test_bases_are_listed_in_the_order_of_their_creation(records, acme):
    bases = [
        KnowledgeBase(acme, KnowledgeBaseId(new_id("kb", NOW + timedelta(seconds=second))), "B", KnowledgeBaseConfig(),
                      NOW, NOW)
        for second in range(3)
    ]  # fmt: skip
    for base in reversed(bases):
        await records.commit(acme, [Put(base)])

    assert [base.kb_id for base in await records.knowledge_bases(acme, 2)] == [base.kb_id for base in bases[:2]]
    assert [base.kb_id for base in await records.knowledge_bases(acme, 2, bases[1].kb_id)] == [bases[2].kb_id]


async def test_what_is_due_is_found_and_nothing_else(records, base):
    overdue = document_of(base, "overdue", due=NOW - timedelta(seconds=1))
    later = document_of(base, "later", due=NOW + timedelta(seconds=60))
    never = document_of(base, "never")
    await records.commit(base.tenant, [Put(replace(base, due=NOW)), Put(overdue), Put(later), Put(never)])

    found = [due async for due in records.due_records(NOW, 1000) if due.tenant == base.tenant]

    wanted = {Due(base.tenant, base.kb_id, None), Due(base.tenant, base.kb_id, overdue.document_id)}
    assert set(found) == wanted
    assert len([due async for due in records.due_records(NOW + timedelta(days=1), 1)]) == 1


@pytest.mark.real_server
async def test_searches_are_told_what_is_live_and_nothing_else(cloud, base):
    table = cloud.address_of(METADATA)
    records, live = DynamoRecords(transactions_of(cloud), table), DynamoLiveDocuments(transactions_of(cloud), table)
    served = {1: LiveGeneration(3, SOURCE, 1, 1, "txt", None, (), NOW)}
    many = [document_of(base, f"m{number}", live=served) for number in range(120)]
    elsewhere = document_of(base, "elsewhere", live={2: served[1]})
    gone = document_of(base, "gone", live=served, tombstone=Tombstone(NOW, by_request=False))
    await records.commit(base.tenant, [Put(base), Put(elsewhere), Put(gone), Put(document_of(base, "new"))])
    for start in range(0, len(many), 40):
        await records.commit(base.tenant, [Put(document) for document in many[start : start + 40]])
    asked = [found.document_id for found in (*many, elsewhere, gone, document_of(base, "missing"))]

    found = await live.live_generations(base.tenant, base.kb_id, 1, asked)

    assert found == {document.document_id: 3 for document in many}
    assert await live.live_generations(base.tenant, base.kb_id, 1, []) == {}
    assert await live.live_generations(TenantId("globex"), base.kb_id, 1, asked) == {}
    assert (await live.scope_of(base.tenant, base.kb_id)).scope.index_generation == 1
    with pytest.raises(KnowledgeBaseNotFoundError):
        await live.scope_of(TenantId("globex"), base.kb_id)
