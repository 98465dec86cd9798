"""What users do at the limits of their plan: files wait for a place, or for room."""

from shared.knowledge.documents import UploadRequest
from tests.ingestion.outcome import outcome
from tests.ingestion.story_steps import S, T, X, Y
from tests.ingestion.world import TENANT


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


STORIES = [
    waited_for_a_place,
    changed_while_waiting,
    no_room_until_something_is_deleted,
    no_room_for_a_replacement,
    room_was_promised,
]
