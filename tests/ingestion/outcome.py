"""What is left when everything has come to rest, in terms a user would use: no ids, no generations, no moments."""

from shared.knowledge.models import ContentClaim, DocumentStatus, TenantTally
from shared.retrieval.ports import Scope


def name_of(document):
    return document.key.rpartition("/")[2]


def served_text(world, document):
    """Return the text that readers are served of a document, None for nothing."""
    served = document.served_in(world.base_now().serving)
    if served is None:
        return None
    return world.stores.text(document, served.generation)


def outcome(world):
    """Return per file name its status, reason and served text; deleted documents look like missing ones.

    Which attempt was the last one to fail, and so the reason, may differ with a crash.
    """
    return {
        name_of(document): (
            document.status.value,
            None if document.status is DocumentStatus.FAILED else document.reason,
            served_text(world, document),
        )
        for document in world.documents_now()
        if document.status not in {DocumentStatus.DELETED, DocumentStatus.EXPIRED}
    }


def dead_letters(world):
    """Return the names of the files whose messages ended in a dead-letter queue."""
    names = {document.document_id: name_of(document) for document in world.documents_now()}
    return {names[message.document_id] for message in world.queues.dead}


def check_counters(world):
    """What must hold at every moment: counters are the sums of what they count, and no limit is passed (T1, T4)."""
    bases = {base.kb_id for base in world.bases_now() if base.deleted_at is None}
    documents = world.documents_now()
    counted = [document for document in documents if document.kb_id in bases]
    tally, line = world.stores.tenant_tally(), world.stores.line()
    assert tally == TenantTally(
        len(bases),
        sum(document.occupies_place for document in counted),
        sum(document.stored_bytes for document in counted),
    )
    held = [world.stores.tally(kb_id) for kb_id in bases]
    assert sum(of_base.documents for of_base in held) == tally.documents
    assert sum(of_base.bytes for of_base in held) == tally.bytes
    assert tally.knowledge_bases <= world.figures.knowledge_bases
    assert tally.bytes <= world.figures.storage_bytes
    assert (
        line.processing == sum(document.is_in_process for document in documents) <= world.figures.concurrent_documents
    )
    standing = sorted(document.work.ticket for document in documents if document.is_waiting)
    assert [ticket.place for ticket in world.stores.waiting()] == standing
    assert line.waiting == len(standing)
    assert not standing or world.stores.line_dues(), "nobody will ever look at those who wait"


def check_truth(world):
    """What must hold at every moment, whoever is half-way through what (invariants 1, 2)."""
    check_counters(world)
    base = world.base_now()
    for document in world.documents_now():
        assert not (document.is_deleted and document.live)
        served = document.served_in(base.serving)
        if document.status is DocumentStatus.READY and not document.is_deleted:
            assert served is not None, "ready, and yet nothing is served"
        if served is not None:
            scope = Scope(base.kb_id, base.serving)
            found = world.stores.read_back(scope, document, served)
            assert found, "a search does not find all that is said to be served"


def check_rest(world):
    """What must hold when nothing is under way any more: counts add up, claims are true, nothing is left over."""
    check_truth(world)
    base = world.base_now()
    documents = world.documents_now()
    assert not world.tasks
    assert not world.queues.waiting
    assert all(document.work is None and document.due is None for document in documents)
    assert all(document.status is not DocumentStatus.PROCESSING for document in documents)
    held = {sha: document.document_id for document in documents for sha in document.held_hashes}
    claims = {r.sha256: r.owner for r in world.records.records.values() if isinstance(r, ContentClaim)}
    assert claims == held
    live = {
        (Scope(base.kb_id, index), document.document_id, served.generation)
        for document in documents
        for index, served in document.live.items()
    }
    assert {key[1:4] for key in world.index.written} == live, "the index holds what nobody serves"
    assert {(key[2], key[3]) for key in world.artifacts.texts} == {(doc, generation) for _, doc, generation in live}
    for document in documents:
        if document.tombstone is not None and document.tombstone.by_request:
            versions = world.objects.stored.get(document.key, [])
            assert all(stored.content is None for stored in versions), "the original outlived its erasure"
