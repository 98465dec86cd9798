"""What users do to files: they put, replace, move, cancel and delete them, also while these are under way."""

from shared.knowledge.documents import UploadRequest
from tests.ingestion.story_steps import X, Y, finish
from tests.ingestion.world import TENANT


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


def run_to_flip(world):
    """Work until the first document is read back and only the flip is left."""
    while "index.read_back" not in world.names:
        for found in world.queues.deliverable():
            task = world.deliver(found)
            while not task.done and "index.read_back" not in world.names:
                world.step(task)
        world.clock.advance(60)
        world.run(world.recovery.recover())


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
    uploaded_as_promised,
    promise_not_kept,
]
