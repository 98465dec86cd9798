"""What users do with pages of the web: they add, cancel and delete them, and servers answer or do not."""

from shared.knowledge.messages import FetchUrlSource
from tests.ingestion.outcome import outcome
from tests.ingestion.story_steps import X, Y, finish
from tests.ingestion.world import DOWN


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


STORIES = [
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
