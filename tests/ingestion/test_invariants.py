"""Invariants 1, 2 and 8 by name; invariant 3 is `test_crash_matrix` and `test_state_machine`."""

import pytest

from shared.knowledge.documents import UploadRequest
from shared.knowledge.errors import DocumentLimitError, DuplicateDocumentError, NothingToCancelError
from shared.knowledge.keys import document_id_of
from shared.knowledge.knowledge_bases import KnowledgeBaseChange
from shared.knowledge.messages import LookAgain
from shared.knowledge.models import DocumentStatus
from tests.ingestion.delivery import MAX_RECEIVES
from tests.ingestion.disturbances import Disturbance, DisturbedWorld
from tests.ingestion.memory import MemoryIndex
from tests.ingestion.outcome import check_rest, dead_letters, outcome
from tests.ingestion.story_steps import X, Y
from tests.ingestion.world import TENANT, MemoryStores


class ForgetfulIndex(MemoryIndex):
    """Takes every write and loses one chunk of it, as often as it is told to."""

    def __init__(self, losses):
        super().__init__()
        self._losses = losses

    async def write(self, tenant, scope, chunks):
        if self._losses > 0 and any(chunk.ordinal == 1 for chunk in chunks):
            self._losses -= 1
            chunks = [chunk for chunk in chunks if chunk.ordinal != 1]
        await super().write(tenant, scope, chunks)


TWO_DOCUMENTS = KnowledgeBaseChange(document_limit=2)


def world_with(index=None):
    stores = MemoryStores()
    if index is not None:
        stores.index = index
    world = DisturbedWorld(Disturbance(), stores)
    world._is_watched = True
    return world


def document_of(world, name):
    document_id = document_id_of(world.key(name))
    return next(document for document in world.documents_now() if document.document_id == document_id)


# --- 1: truthful status -------------------------------------------------------------------------------------------


def test_ready_is_said_only_after_a_search_found_every_chunk():
    world = world_with(ForgetfulIndex(losses=1))
    world.put("a", X)

    world.work_off()

    assert document_of(world, "a").status is DocumentStatus.PROCESSING
    world.quiet_down()
    assert outcome(world) == {"a": ("ready", None, X)}
    assert document_of(world, "a").attempt == 2


def test_an_index_that_keeps_losing_chunks_never_makes_a_document_ready():
    world = world_with(ForgetfulIndex(losses=1000))
    world.put("a", X)

    world.quiet_down()

    document = document_of(world, "a")
    assert (document.status, document.reason, document.attempt) == (DocumentStatus.FAILED, "publishing_failed", 3)
    assert dead_letters(world) == {"a"}


def test_a_ready_document_says_what_it_holds_and_how_long_each_stage_took():
    world = world_with()
    world.put("a", X)
    world.quiet_down()

    document = document_of(world, "a")

    served = document.live[1]
    assert (served.pages, served.chunks) == (1, len(world.index.visible))
    assert set(document.timings_ms) == {"accepted", "parsing", "indexing", "publishing"}


# --- 2: gone means gone ---------------------------------------------------------------------------------------------


def test_a_deleted_document_is_not_served_although_no_queue_is_worked_off():
    world = world_with()
    world.put("a", X)
    world.quiet_down()

    world.delete("a")

    assert document_of(world, "a").live == {}


def test_a_replaced_version_is_not_served_once_the_new_one_is_ready():
    world = world_with()
    world.put("a", X)
    world.quiet_down()
    first = document_of(world, "a").live[1].generation
    world.put("a", Y)

    world.quiet_down(hours=0)

    document = document_of(world, "a")
    assert (document.status, document.live[1].generation > first) == (DocumentStatus.READY, True)


def test_readers_of_a_replaced_version_get_their_grace_and_a_deletion_none():
    world = world_with()
    world.put("a", X)
    world.work_off()
    world.put("a", Y)
    world.work_off()
    generations = {key[3] for key in world.index.written}
    assert generations == {1, 2}

    world.delete("a")
    world.work_off()

    assert world.index.written == {}
    assert world.artifacts.texts == {}


def test_a_late_event_of_a_deleted_upload_revives_nothing():
    world = world_with()
    promise = world.insist(
        lambda: world.documents.create_upload(TENANT, world.base.kb_id, UploadRequest("a"), world.figures, "upload_1")
    )
    world.put_key(promise.document.key, X)
    world.quiet_down()
    delete = world.documents.delete(TENANT, world.base.kb_id, promise.document.document_id)
    assert world.run(delete).error is None
    world.put_key(promise.document.key, X)  # the form may still be valid

    world.queues.put(LookAgain(keys=(promise.document.key,)))
    world.settle_down()

    assert outcome(world) == {}
    check_rest(world)


def test_a_file_that_the_delete_marker_covers_is_erased_with_the_document():
    world = world_with()
    world.put("a", X)
    world.quiet_down()
    deletion = world.start(
        "delete", world.documents.delete(TENANT, world.base.kb_id, document_of(world, "a").document_id)
    )
    while deletion.at != "objects.delete":
        world.step(deletion)
    world.put("a", Y)  # after the versions were listed, before the marker

    world.settle_down()

    assert outcome(world) == {}
    check_rest(world)


def test_a_deleted_base_leaves_nothing_behind():
    world = world_with()
    for name in "abc":
        world.put(name, name + X)
    world.quiet_down()

    assert world.run(world.knowledge_bases.delete(TENANT, world.base.kb_id)).error is None
    world._is_watched = False
    world.put("late", X)
    world.settle_down()

    assert world.index.written == world.artifacts.texts == world.artifacts.manifests == {}
    contents = [stored.content for versions in world.objects.stored.values() for stored in versions]
    assert [content for content in contents if content is not None] == []


# --- 8: nothing is lost ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", range(6))
def test_a_message_that_got_lost_is_sent_again(lost):
    world = world_with()
    world.put("a", X)
    for _ in range(lost):
        ready = world.queues.deliverable()
        if ready:
            task = world.deliver(ready[0])
            while not task.done:
                world.step(task)
    if lost:  # an event of the bucket itself is in a queue or nowhere: before it there is nothing to recover from
        world.queues.waiting.clear()

    world.quiet_down()

    assert outcome(world) == {"a": ("ready", None, X)}


def test_work_whose_process_is_killed_three_times_fails_and_its_message_is_kept():
    world = world_with()
    world.put("a", X)
    kills = 0
    while kills < MAX_RECEIVES and document_status(world) is not DocumentStatus.FAILED:
        world.clock.advance(1000)
        for found in world.queues.deliverable():
            task = world.deliver(found)
            while not task.done:
                if task.name == "ParseDocument" and task.at == "objects.read":
                    world.kill(task)
                    kills += 1
                    break
                world.step(task)

    world.quiet_down()

    document = document_of(world, "a")
    assert (document.status, document.reason) == (DocumentStatus.FAILED, "processing_interrupted")
    assert dead_letters(world) == {"a"}
    world.retry("a")
    world.quiet_down()
    assert outcome(world) == {"a": ("ready", None, X)}


def document_status(world):
    documents = world.documents_now()
    return documents[0].status if documents else None


# --- what users are told --------------------------------------------------------------------------------------------


def test_a_promised_upload_of_known_bytes_is_refused_and_names_the_document():
    world = world_with()
    world.put("a", X)
    world.quiet_down()
    document = document_of(world, "a")
    request = UploadRequest("b", sha256=document.source.sha256)

    answer = world.run(world.documents.create_upload(TENANT, world.base.kb_id, request, world.figures))

    assert isinstance(answer.error, DuplicateDocumentError)
    assert answer.error.facts == {"document_id": document.document_id}


def test_the_limit_of_a_base_holds_for_promises_and_for_drops():
    world = world_with()
    change = KnowledgeBaseChange(document_limit=1)
    assert world.run(world.knowledge_bases.update(TENANT, world.base.kb_id, change, world.figures)).error is None
    world.put("a", X)
    world.quiet_down()
    world.put("b", Y)
    world.quiet_down()

    refused = world.run(world.documents.create_upload(TENANT, world.base.kb_id, UploadRequest("c"), world.figures))

    assert isinstance(refused.error, DocumentLimitError)
    assert outcome(world)["b"] == ("rejected", "document_limit_reached", None)
    world.delete("a")
    world.retry("b")
    world.quiet_down()
    assert outcome(world) == {"b": ("ready", None, Y)}


def test_a_duplicate_that_finds_no_room_when_its_turn_comes_is_told_so():
    world = world_with()
    for name in "abc":
        world.put(name, X if name in "ab" else Y)
    world.put("d", X)
    world.quiet_down()
    assert world.run(world.knowledge_bases.update(TENANT, world.base.kb_id, TWO_DOCUMENTS, world.figures)).error is None

    world.put("a", "something else")
    world.quiet_down()

    refused = ("rejected", "document_limit_reached", None)
    assert outcome(world) == {
        "a": ("ready", None, "something else"),
        "b": refused,
        "c": ("ready", None, Y),
        "d": refused,
    }
    world.delete("c")
    world.retry("d")
    world.settle_down()
    assert outcome(world)["d"] == ("ready", None, X)
    check_rest(world)


def test_a_ready_document_has_nothing_to_cancel():
    world = world_with()
    world.put("a", X)
    world.quiet_down()

    answer = world.run(world.documents.cancel(TENANT, world.base.kb_id, document_of(world, "a").document_id))

    assert isinstance(answer.error, NothingToCancelError)


def test_an_upload_nobody_used_expires_and_gives_its_place_back():
    world = world_with()
    promise = world.insist(
        lambda: world.documents.create_upload(TENANT, world.base.kb_id, UploadRequest("a"), world.figures, "u")
    )
    assert world.records.tallies[TENANT, world.base.kb_id].documents == 1

    world.quiet_down()

    expired = next(found for found in world.documents_now() if found.document_id == promise.document.document_id)
    assert (expired.status, expired.reason) == (DocumentStatus.EXPIRED, "upload_expired")
    assert world.records.tallies[TENANT, world.base.kb_id].documents == 0


def test_a_file_over_the_cap_is_refused_without_being_read():
    world = world_with()
    world.objects.stored[world.key("a")] = []
    world.put("a", "x")
    huge = b"x" * (101 * 1024 * 1024)
    world.objects.stored[world.key("a")][-1].content = huge

    world.quiet_down()

    assert outcome(world) == {"a": ("rejected", "too_large", None)}


def test_a_promised_file_that_arrives_after_its_document_was_deleted_is_destroyed_in_the_end():
    world = world_with()
    promise = world.insist(
        lambda: world.documents.create_upload(TENANT, world.base.kb_id, UploadRequest("a"), world.figures, "upload_1")
    )
    world.delete_document(promise.document)
    world.put_key(promise.document.key, X)

    world.settle_down()

    assert outcome(world) == {}
    check_rest(world)
