"""What users do while a whole base is indexed anew."""

from shared.knowledge.messages import AdvanceReindex, PublishDocument
from tests.ingestion.story_steps import S, T, finish


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


def reindexed_one_after_the_other(world):
    for name in "ab":
        world.put(name, name + S)
    world.quiet_down()
    world.reindex()
    world.quiet_down()
    return {name: ("ready", None, name + S) for name in "ab"}


STORIES = [
    reindexed,
    reindexed_during_an_upload,
    replaced_after_it_was_reindexed,
    published_between_scan_and_flip,
]
