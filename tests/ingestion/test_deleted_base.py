"""A base is deleted at any moment of what happens in it: what the tenant has stays the sum of what exists (T1, T4)."""

from dataclasses import replace

import pytest

from shared.knowledge.models import Line, TenantTally
from shared.tenancy.plans import STARTER
from tests.ingestion.disturbances import Disturbance, DisturbedWorld
from tests.ingestion.outcome import check_counters
from tests.ingestion.story_steps import S, X
from tests.ingestion.world import TENANT

MOST_EFFECTS = 40


def started(world, kind):
    """Begin something that moves the counters of the base; it stops before its first effect."""
    if kind == "publish":
        world.put("a", X)
        world.work_off()
        world.put("a", X + S)  # its publishing gives up the room of the version before it
        while type(world.queues.deliverable()[0].message).__name__ != "PublishDocument":
            task = world.deliver(world.queues.deliverable()[0])
            while not task.done:
                world.step(task)
        return world.deliver(world.queues.deliverable()[0])
    if kind == "accept":
        world.put("a", X)
        return world.deliver(world.queues.deliverable()[0])
    world.put("a", X)
    world.work_off()
    (document,) = world.documents_now()
    return world.start("delete", world.documents.delete(TENANT, world.base.kb_id, document.document_id))


@pytest.mark.parametrize("kind", ["accept", "publish", "delete"])
@pytest.mark.parametrize("first", ["base", "document"])
def test_counters_hold_wherever_the_two_meet(kind, first):
    for effects in range(MOST_EFFECTS):
        world = DisturbedWorld(Disturbance())
        world._is_watched = False
        other = started(world, kind)
        deletion = world.start("delete base", world.knowledge_bases.delete(TENANT, world.base.kb_id))
        one, two = (deletion, other) if first == "base" else (other, deletion)

        for _ in range(effects):
            if not one.done:
                world.step(one)
                check_counters(world)
        stopped_early = not one.done
        for task in (two, one):
            while not task.done:
                world.step(task)
                check_counters(world)

        assert deletion.error is None
        world.settle_down()
        assert world.stores.tenant_tally() == TenantTally()
        line = world.stores.line()
        assert (line.processing, line.waiting) == (0, 0)
        if not stopped_early:
            return
    raise AssertionError("it never came to its end")


def test_those_who_waited_in_a_deleted_base_make_room_for_others():
    world = DisturbedWorld(Disturbance(), figures=replace(STARTER, concurrent_documents=1))
    world._is_watched = False
    for name in "abc":
        world.put(name, name + S)
    world.accept()
    created = world.knowledge_bases.create(TENANT, "Other", world.figures)
    other = world.run(created).result
    world.put_key(f"t/{TENANT}/kb/{other.kb_id}/d", S)
    world.accept()
    assert world.stores.line() == Line(processing=1, waiting=3, places=1)

    assert world.run(world.knowledge_bases.delete(TENANT, world.base.kb_id)).error is None
    check_counters(world)
    world.settle_down()

    assert world.stores.tenant_tally() == TenantTally(1, 1, len(S))
    assert [found.status.value for found in world.documents_now() if found.kb_id == other.kb_id] == ["ready"]
    check_counters(world)
