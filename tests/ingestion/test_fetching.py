"""What fetching does not do: fetch what is there, put what nobody wants any more, or try for ever."""

from shared.knowledge.messages import FetchUrlSource, LookAgain
from shared.knowledge.models import DocumentStatus, Stage
from tests.ingestion.delivery import MAX_RECEIVES
from tests.ingestion.disturbances import Disturbance, DisturbedWorld
from tests.ingestion.outcome import check_rest, dead_letters, outcome
from tests.ingestion.story_steps import X, finish
from tests.ingestion.world import DOWN


def new_world():
    world = DisturbedWorld(Disturbance())
    world._is_watched = True
    return world


def document_now(world):
    (document,) = world.documents_now()
    return document


def to_fetch(world):
    return [found for found in world.queues.waiting if isinstance(found.message, FetchUrlSource)]


def test_a_message_that_comes_again_does_not_fetch_what_is_there():
    world = new_world()
    world.add_url("a", X)
    (found,) = to_fetch(world)
    for _ in range(2):
        task = world.deliver(found, duplicate=True)
        while not task.done:
            world.step(task)
    world.clock.advance(1000)
    world.work_off_without(LookAgain)

    assert len(world.web.asked) == 1
    world.quiet_down()
    assert outcome(world) == {"a": ("ready", None, X)}


def test_what_was_cancelled_while_it_was_fetched_is_not_put():
    world = new_world()
    document = world.add_url("a", X)
    task = world.deliver(to_fetch(world)[0])
    while task.at != "web.fetch":
        world.step(task)
    world.step(task)

    world.cancel_document(document)
    finish(world)
    world.quiet_down()

    assert document.key not in world.objects.stored
    assert outcome(world) == {"a": ("cancelled", "cancelled_by_request", None)}


def test_a_lost_message_is_sent_again_and_ever_more_rarely():
    world = new_world()
    world.add_url("a", X)
    moments = []
    for _ in range(4):
        world.queues.waiting.clear()
        moments.append(document_now(world).due - world.clock.now())
        world.clock.moment = document_now(world).due
        world.run(world.recovery.recover())

    assert [moment.total_seconds() for moment in moments] == [900, 1800, 3600, 7200]
    world.quiet_down()
    assert outcome(world) == {"a": ("ready", None, X)}


def test_three_killed_attempts_are_all_there_are():
    world = new_world()
    world.add_url("a", X)
    for _ in range(MAX_RECEIVES):
        for found in to_fetch(world):
            world.clock.moment = max(world.clock.now(), found.visible_at)
            task = world.deliver(found)
            while not task.done and task.at != "web.fetch":
                world.step(task)
            if not task.done:
                world.kill(task)
    world.quiet_down()

    document = document_now(world)
    assert (document.status, document.reason) == (DocumentStatus.FAILED, "processing_interrupted")
    assert dead_letters(world) == {"a"}
    world.retry_document(document)
    world.quiet_down()
    assert outcome(world) == {"a": ("ready", None, X)}


def test_the_document_says_what_was_wrong_with_its_address():
    world = new_world()
    world.add_url("a", [DOWN])

    world.quiet_down()

    document = document_now(world)
    assert (document.status, document.stage, document.attempt) == (DocumentStatus.FAILED, Stage.FETCHING, 3)
    assert (document.reason, document.reason_detail) == ("url_unreachable", "It does not answer.")
    assert dead_letters(world) == {"a"}


def test_what_is_fetched_counts_like_any_other_document_and_nothing_is_left_behind():
    world = new_world()
    document = world.add_url("a", X)
    assert world.stores.tally(world.base.kb_id).documents == 1
    world.quiet_down()
    assert world.stores.tally(world.base.kb_id).bytes == len(X)

    world.delete_document(document)
    world.settle_down()

    assert world.stores.tally(world.base.kb_id).documents == 0
    assert document_now(world).url_source is None
    check_rest(world)
