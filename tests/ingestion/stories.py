"""What users do to files, and how it must end, whatever happens on the way (measure 8).

Each story is played by a `DisturbedWorld`, which kills a process or loses an answer at one chosen effect.
"""

from dataclasses import replace

from shared.knowledge.documents import UploadRequest
from shared.knowledge.messages import AdvanceReindex, FetchUrlSource, PublishDocument
from shared.tenancy.plans import STARTER
from tests.ingestion.disturbances import DisturbedWorld
from tests.ingestion.outcome import dead_letters, outcome
from tests.ingestion.world import DOWN, TENANT

X = "one two three. " * 300
Y = "four five six. " * 300
S = "seven eight nine."
T = "ten eleven twelve."


def new_document(world):
    world.put("a", X)
    world.quiet_down()
    return {"a": ("ready", None, X)}


def replaced(world):
    world.put("a", X)
    world.quiet_down()
    world.put("a", Y)
    world.quiet_down()
    return {"a": ("ready", None, Y)}


def replaced_while_under_way(world):
    world.put("a", X)
    world.accept()
    world.put("a", Y)
    world.quiet_down()
    return {"a": ("ready", None, Y)}


def hostile_replacement(world):
    world.put("a", X)
    world.quiet_down()
    world.put("a", "hostile")
    world.quiet_down()
    return {"a": ("rejected", "malformed", X)}


def same_bytes_again(world):
    world.put("a", X)
    world.quiet_down()
    world.put("a", X)
    world.quiet_down()
    return {"a": ("ready", None, X)}


def deleted(world):
    world.put("a", X)
    world.quiet_down()
    world.delete("a")
    world.quiet_down()
    return {}


def deleted_while_under_way(world):
    world.put("a", X)
    world.accept()
    world.delete("a")
    world.quiet_down()
    return {}


def deleted_and_put_again(world):
    world.put("a", X)
    world.quiet_down()
    world.delete("a")
    world.put("a", Y)
    world.quiet_down()
    return {"a": ("ready", None, Y)}


def moved(world):
    world.put("a", X)
    world.quiet_down()
    world.put("b", X)
    world.quiet_down()
    world.remove("a")
    world.quiet_down()
    return {"b": ("ready", None, X)}


def duplicate_takes_over(world):
    world.put("a", X)
    world.quiet_down()
    world.put("b", X)
    world.quiet_down()
    world.put("a", Y)
    world.quiet_down()
    return {"a": ("ready", None, Y), "b": ("ready", None, X)}


def duplicate_waits(world):
    world.put("a", X)
    world.quiet_down()
    world.put("b", X)
    world.quiet_down()
    return {"a": ("ready", None, X), "b": ("skipped_duplicate", "duplicate_content", None)}


def old_version_purged(world):
    old = world.put("a", X)
    world.quiet_down()
    world.put("a", Y)
    world.quiet_down()
    world.destroy("a", old)
    world.quiet_down()
    return {"a": ("ready", None, Y)}


def delete_marker_removed(world):
    world.put("a", X)
    world.quiet_down()
    world.remove("a")
    world.quiet_down()
    world.destroy("a", world.objects.history(world.key("a"))[-1])
    world.quiet_down()
    return {"a": ("ready", None, X)}


def cancelled_then_retried(world):
    world.put("a", X)
    world.accept()
    world.cancel("a")
    world.quiet_down()
    world.retry("a")
    world.quiet_down()
    return {"a": ("ready", None, X)}


def cancelled(world):
    world.put("a", X)
    world.quiet_down()
    world.put("a", Y)
    world.accept()
    world.cancel("a")
    world.quiet_down()
    return {"a": ("cancelled", "cancelled_by_request", X)}


def poison(world):
    world.put("a", "poison")
    world.put("b", X)
    world.quiet_down()
    return {"a": ("failed", None, None), "b": ("ready", None, X)}


def deleted_between_read_back_and_flip(world):
    world.put("a", X)
    run_to_flip(world)
    world.delete("a")
    finish(world)
    world.quiet_down()
    return {}


def replaced_between_read_back_and_flip(world):
    world.put("a", X)
    run_to_flip(world)
    world.put("a", Y)
    world.accept()
    finish(world)
    world.quiet_down()
    return {"a": ("ready", None, Y)}


def reindexed(world):
    for name in "abc":
        world.put(name, name + S)
    world.quiet_down()
    world.reindex()
    world.quiet_down()
    return {name: ("ready", None, name + S) for name in "abc"}


def reindexed_during_an_upload(world):
    for name in "ab":
        world.put(name, name + S)
    world.quiet_down()
    world.put("a", T)
    world.put("c", S)
    world.accept()
    world.reindex()
    world.quiet_down()
    return {"a": ("ready", None, T), "b": ("ready", None, "b" + S), "c": ("ready", None, S)}


def replaced_after_it_was_reindexed(world):
    for name in "ab":
        world.put(name, name + S)
    world.quiet_down()
    world.reindex()
    world.work_off_without(None, limit=1)  # one scan starts both
    world.work_off_without(AdvanceReindex)
    world.put("a", T)
    world.work_off_without(AdvanceReindex)
    world.quiet_down()
    return {"a": ("ready", None, T), "b": ("ready", None, "b" + S)}


def published_between_scan_and_flip(world):
    world.put("a", "a" + S)
    world.quiet_down()
    world.reindex()
    world.work_off_without(None, limit=1)
    world.work_off_without(AdvanceReindex)
    world.clock.advance(60)
    world.put("b", T)
    world.work_off_without((AdvanceReindex, PublishDocument))
    scans = [found for found in world.queues.deliverable() if isinstance(found.message, AdvanceReindex)]
    for found in scans:
        task = world.deliver(found)
        while not task.done and task.at != "records.commit":
            world.step(task)
    world.work_off_without(AdvanceReindex)
    finish(world)
    world.quiet_down()
    return {"a": ("ready", None, "a" + S), "b": ("ready", None, T)}


def uploaded_as_promised(world):
    request = UploadRequest("a")
    promise = world.insist(
        lambda: world.documents.create_upload(TENANT, world.base.kb_id, request, world.figures, "upload_1")
    )
    world.put_key(promise.document.key, X)
    world.quiet_down()
    return {"a": ("ready", None, X)}


def promise_not_kept(world):
    request = UploadRequest("a")
    world.insist(lambda: world.documents.create_upload(TENANT, world.base.kb_id, request, world.figures, "upload_1"))
    world.quiet_down()
    return {}


def waited_for_a_place(world):
    for name in "abc":
        world.put(name, name + S)
    world.accept()
    world.quiet_down()
    return {name: ("ready", None, name + S) for name in "abc"}


def poison_goes_first(world):
    world.put("a", "poison")
    world.put("b", X)
    world.quiet_down()
    return {"a": ("failed", None, None), "b": ("ready", None, X)}


def changed_while_waiting(world):
    for name in "abcd":
        world.put(name, name + S)
    world.accept()
    world.delete("b")
    world.cancel("c")
    world.put("d", T)
    world.quiet_down()
    return {
        "a": ("ready", None, "a" + S),
        "c": ("cancelled", "cancelled_by_request", None),
        "d": ("ready", None, T),
    }


def reindexed_one_after_the_other(world):
    for name in "ab":
        world.put(name, name + S)
    world.quiet_down()
    world.reindex()
    world.quiet_down()
    return {name: ("ready", None, name + S) for name in "ab"}


def no_room_until_something_is_deleted(world):
    world.put("a", X)
    world.quiet_down()
    world.put("b", Y)
    world.quiet_down()
    assert outcome(world)["b"] == ("rejected", "storage_quota_exhausted", None)
    world.delete("a")
    world.retry("b")
    world.quiet_down()
    return {"b": ("ready", None, Y)}


def no_room_for_a_replacement(world):
    world.put("a", X)
    world.quiet_down()
    world.put("a", Y)
    world.quiet_down()
    return {"a": ("rejected", "storage_quota_exhausted", X)}


def room_was_promised(world):
    request = UploadRequest("b", size_bytes=len(X))
    promise = world.insist(
        lambda: world.documents.create_upload(TENANT, world.base.kb_id, request, world.figures, "upload_1")
    )
    world.put("a", Y)
    world.quiet_down(hours=0.1)
    world.put_key(promise.document.key, X)
    world.quiet_down()
    return {"a": ("rejected", "storage_quota_exhausted", None), "b": ("ready", None, X)}


def fetched(world):
    world.add_url("a", X)
    world.quiet_down()
    return {"a": ("ready", None, X)}


def fetched_at_the_second_attempt(world):
    world.add_url("a", [DOWN, X])
    world.add_url("b", Y)
    world.quiet_down()
    return {"a": ("ready", None, X), "b": ("ready", None, Y)}


def fetched_at_the_third_attempt(world):
    """A disturbed attempt is used up as well, so the last one may be too many; then that is what the document says."""
    world.add_url("a", [DOWN, DOWN, X])
    world.quiet_down()
    assert outcome(world)["a"] in {("ready", None, X), ("failed", None, None)}
    return {"a": outcome(world)["a"]}


def fetched_by_one_who_stalls(world):
    """Each fetch brings something else, and the first one comes to put it when the second has: one file counts."""
    document = world.add_url("a", [X, Y])
    run_to_put(world)
    world.clock.advance(1000)
    world.run(world.recovery.recover())
    world.work_off_without(())
    finish(world)
    world.quiet_down()
    assert len(world.objects.history(document.key)) == 1
    text = outcome(world)["a"][2]
    assert text in {X, Y}
    return {"a": ("ready", None, text)}


def fetched_in_vain(world):
    world.add_url("a", None)
    world.quiet_down()
    return {"a": ("rejected", "url_not_found", None)}


def never_reached(world):
    world.add_url("a", [DOWN])
    world.quiet_down()
    return {"a": ("failed", None, None)}


def reached_after_a_retry(world):
    document = world.add_url("a", None)
    world.quiet_down()
    world.web.pages["https://web.example/a"] = X
    world.retry_document(document)
    world.quiet_down()
    return {"a": ("ready", None, X)}


def deleted_before_it_was_put(world):
    document = world.add_url("a", X)
    run_to_put(world)
    world.delete_document(document)
    finish(world)
    world.quiet_down()
    return {}


def cancelled_before_it_was_put(world):
    document = world.add_url("a", X)
    run_to_put(world)
    world.cancel_document(document)
    finish(world)
    world.quiet_down()
    return {"a": ("cancelled", "cancelled_by_request", None)}


def cancelled_and_fetched_again(world):
    document = world.add_url("a", X)
    world.cancel_document(document)
    world.quiet_down()
    world.retry_document(document)
    world.quiet_down()
    return {"a": ("ready", None, X)}


def fetched_twice_at_once(world):
    """The address is named again by a request that was repeated, so two messages are under way."""
    world.add_url("a", X)
    world.add_url("a", X)
    world.quiet_down()
    return {"a": ("ready", None, X)}


def run_to_put(world):
    """Work until the first file was fetched and is about to be put, or its process was killed."""
    for found in world.queues.deliverable():
        if isinstance(found.message, FetchUrlSource):
            task = world.deliver(found)
            while not task.done and task.at != "objects.put_once":
                world.step(task)


def run_to_flip(world):
    """Work until the first document is read back and only the flip is left."""
    while "index.read_back" not in world.names:
        for found in world.queues.deliverable():
            task = world.deliver(found)
            while not task.done and "index.read_back" not in world.names:
                world.step(task)
        world.clock.advance(60)
        world.run(world.recovery.recover())


def finish(world):
    while world.tasks:
        world.step(world.tasks[0])


STORIES = [
    new_document,
    replaced,
    replaced_while_under_way,
    hostile_replacement,
    same_bytes_again,
    deleted,
    deleted_while_under_way,
    deleted_and_put_again,
    moved,
    duplicate_takes_over,
    duplicate_waits,
    old_version_purged,
    delete_marker_removed,
    cancelled,
    cancelled_then_retried,
    poison,
    deleted_between_read_back_and_flip,
    replaced_between_read_back_and_flip,
    reindexed,
    reindexed_during_an_upload,
    replaced_after_it_was_reindexed,
    published_between_scan_and_flip,
    uploaded_as_promised,
    promise_not_kept,
    waited_for_a_place,
    changed_while_waiting,
    no_room_until_something_is_deleted,
    no_room_for_a_replacement,
    room_was_promised,
    fetched,
    fetched_at_the_second_attempt,
    fetched_at_the_third_attempt,
    fetched_by_one_who_stalls,
    fetched_in_vain,
    never_reached,
    reached_after_a_retry,
    deleted_before_it_was_put,
    cancelled_before_it_was_put,
    cancelled_and_fetched_again,
    fetched_twice_at_once,
]
UNDISTURBED = [poison_goes_first, reindexed_one_after_the_other]
"""Long stories whose steps the others have too; `test_state_machine` disturbs them as well."""

ONE_PLACE = replace(STARTER, concurrent_documents=1)
LITTLE_ROOM = replace(STARTER, storage_bytes=len(X) + len(Y) - 1)
FIGURES = {
    waited_for_a_place: ONE_PLACE,
    poison_goes_first: ONE_PLACE,
    changed_while_waiting: ONE_PLACE,
    reindexed_one_after_the_other: ONE_PLACE,
    no_room_until_something_is_deleted: LITTLE_ROOM,
    no_room_for_a_replacement: LITTLE_ROOM,
    room_was_promised: LITTLE_ROOM,
}
"""What the tenant's plan allows; where a story names nothing, starter's figures hold."""


def play(story, disturbance, stores=None):
    """Play a story to its end and check it; return its world."""
    world = DisturbedWorld(disturbance, stores, FIGURES.get(story, STARTER))
    expected = story(world)
    assert outcome(world) == expected
    assert dead_letters(world) == {name for name, (status, _, _) in expected.items() if status == "failed"}
    return world
