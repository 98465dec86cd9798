"""Ten thousand files of one tenant do not stand before another tenant's single file (T4)."""

from collections import Counter, deque
from dataclasses import replace
from typing import Any

import pytest

from shared.kernel.ids import TenantId
from shared.knowledge.config import KnowledgeBaseConfig
from shared.knowledge.keys import document_id_of, prefix_of
from shared.knowledge.messages import LookAgain, ParseDocument
from shared.knowledge.models import DocumentStatus
from shared.operations.capabilities import ACCEPT_QUEUE, PARSE_QUEUE, UPLOADS
from shared.operations.declaration import QueueTrigger
from shared.operations.registry import all_operations
from shared.tenancy.plans import STARTER
from tests.ingestion.disturbances import Disturbance, DisturbedWorld
from tests.ingestion.functions import services_of_all
from tests.ingestion.outcome import check_counters, check_rest
from tests.ingestion.story_steps import S
from tests.ingestion.world import TENANT, World

PLACES = STARTER.concurrent_documents
MANY_DOCUMENTS = replace(STARTER, documents_per_knowledge_base=100_000)
OTHER = TenantId("globex")


class Line(World):
    """A world whose messages are delivered strictly in the order in which they were sent, whatever their queue."""

    def __init__(self):
        self.sent: deque[Any] = deque()
        super().__init__(figures=MANY_DOCUMENTS)
        vars(self.queues).update(send=self._send, put=self.sent.append)
        self.records_now = self.stores.records.records

    async def _send(self, messages, delay_s=0):
        self.sent.extend(message for message in messages if not delay_s)

    def base_of(self, tenant):
        created = self.knowledge_bases.create(tenant, "Base", self.figures, config=KnowledgeBaseConfig())
        return self.run(created).result

    def put(self, base, name):
        key = prefix_of(base.tenant, base.kb_id) + name
        self.objects.put(key, f"{name} {S}".encode())
        self.take_events()
        return base.tenant, base.kb_id, "doc", document_id_of(key)

    def deliver_next(self):
        message = self.sent.popleft()
        self.run(self._consumers[type(message)](message))
        return message


def test_a_single_file_is_processed_after_no_more_others_than_have_a_place():
    line = Line()
    crowd, single = line.base, line.base_of(OTHER)
    many = [line.put(crowd, f"n{number}") for number in range(10_000)]
    one = line.put(single, "one")

    parsed: Counter[TenantId] = Counter()
    while line.records_now.get(one) is None or line.records_now[one].status is not DocumentStatus.READY:
        message = line.deliver_next()
        if isinstance(message, ParseDocument):
            parsed[message.tenant] += 1

    assert parsed == {TENANT: PLACES, OTHER: 1}
    ready = [key for key in many if line.records_now[key].status is DocumentStatus.READY]
    assert len(ready) <= PLACES
    assert line.stores.line().waiting == len(many) - len(ready) - PLACES
    queued = {message.document_id for message in line.sent if not isinstance(message, LookAgain)}
    assert len(queued) <= PLACES, "the queues hold messages only of documents that have a place"


def test_everybody_who_waits_is_processed_in_the_end_in_the_order_of_arrival():
    line = Line()
    keys = [line.put(line.base, f"n{number}") for number in range(60)]
    order = []

    while line.sent:
        message = line.deliver_next()
        line.clock.advance(0.001)
        check_counters(line)
        if isinstance(message, ParseDocument):
            order.append(message.document_id)

    assert order == [key[-1] for key in keys]
    check_rest(line)


def test_the_schedule_gives_places_to_those_whom_everybody_forgot():
    world = DisturbedWorld(Disturbance(), figures=replace(STARTER, concurrent_documents=1))
    for name in "abc":
        world.put(name, name + S)
    world.accept()
    publish = _until(world, "PublishDocument", "queue.send", "records.line")
    world.kill(publish)  # the place is free, and nobody who waits was told

    assert (world.stores.line().processing, world.stores.line().waiting) == (0, 2)
    world.quiet_down(hours=0.1)

    assert {document.status for document in world.documents_now()} == {DocumentStatus.READY}


def test_a_newcomer_does_not_take_a_place_that_others_wait_for():
    world = DisturbedWorld(Disturbance(), figures=replace(STARTER, concurrent_documents=1))
    for name in "ab":
        world.put(name, name + S)
        world.accept()
        world.clock.advance(1)
    world.kill(_until(world, "PublishDocument", "queue.send", "records.line"))

    world.put("c", "c" + S)
    world.accept()

    (chosen,) = (document for document in world.documents_now() if document.is_in_process)
    assert chosen.name == "b"


def test_a_replacement_takes_over_the_place_of_what_it_replaces():
    world = DisturbedWorld(Disturbance(), figures=replace(STARTER, concurrent_documents=1))
    for name in "abc":
        world.put(name, name + S)
        world.accept()
        world.clock.advance(1)
    line = [ticket.document_id for ticket in world.stores.waiting()]

    world.put("a", "newer" + S)
    world.put("b", "newest" + S)
    world.accept()

    (processed,) = (document for document in world.documents_now() if document.is_in_process)
    assert (processed.name, processed.accepted) == ("a", 2)
    assert [ticket.document_id for ticket in world.stores.waiting()] == line


def test_ten_thousand_who_wait_are_one_find_of_the_schedule():
    world = DisturbedWorld(Disturbance(), figures=replace(STARTER, concurrent_documents=1))
    for name in "abc":
        world.put(name, name + S)
    world.accept()

    assert [document.name for document in world.documents_now() if document.due is not None] == ["a"]
    assert len(world.stores.line_dues()) == 1


def test_a_larger_plan_is_heeded_while_documents_wait():
    world = DisturbedWorld(Disturbance(), figures=replace(STARTER, concurrent_documents=1))
    for name in "abcd":
        world.put(name, name + S)
    world.accept()
    assert world.stores.line().processing == 1

    world.figures = replace(STARTER, concurrent_documents=3)
    world._wire()
    world.clock.advance(61)
    world.run(world.recovery.recover(), "schedule")

    assert (world.stores.line().processing, world.stores.line().waiting) == (3, 1)


def _until(world, name, *effects):
    """Work until a task of that name stands before one of `effects` having committed; return the task."""
    while True:
        found = next(found for found in world.queues.deliverable())
        task = world.deliver(found)
        committed = False
        while not task.done:
            if task.name == name and committed and task.at in effects:
                return task
            was_flip = task.at == "records.commit" and "index.read_back" in world.names[-6:]
            world.step(task)
            committed = committed or was_flip


@pytest.mark.real_server
@pytest.mark.slow
async def test_on_real_queues_a_crowd_leaves_room_for_a_single_file(cloud, functions):
    services = services_of_all(cloud)
    crowd, single = TenantId("crowd"), TenantId("single")
    bases = [await services.knowledge_bases.create(tenant, "Base", STARTER) for tenant in (crowd, single)]
    await functions.work_off()  # what other tests left behind
    for number in range(PLACES + 2):
        _drop(cloud, bases[0], f"n{number}.md")
    one = _drop(cloud, bases[1], "one.md")

    while await functions.deliver(_consumer_of(ACCEPT_QUEUE)):
        pass

    waiting = cloud.sqs.get_queue_attributes(
        QueueUrl=cloud.address_of(PARSE_QUEUE), AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]["ApproximateNumberOfMessages"]
    assert int(waiting) == PLACES + 1
    while (await services.catalogue.document(single, bases[1].kb_id, one)).status is not DocumentStatus.READY:
        for consumer in _consumers():
            await functions.deliver(consumer)
    page = await services.ingestion.adapters.records.documents(crowd, bases[0].kb_id, 100)
    assert sum(document.status is DocumentStatus.READY for document in page) <= PLACES
    await functions.work_off()
    page = await services.ingestion.adapters.records.documents(crowd, bases[0].kb_id, 100)
    assert {document.status for document in page} == {DocumentStatus.READY}


def _drop(cloud, base, name):
    key = prefix_of(base.tenant, base.kb_id) + name
    cloud.s3.put_object(Bucket=cloud.address_of(UPLOADS), Key=key, Body=f"# {name}\n\nIt says {name}.\n".encode())
    return document_id_of(key)


def _consumers():
    return [found for found in all_operations() if isinstance(found.trigger, QueueTrigger)]


def _consumer_of(queue):
    return next(found for found in _consumers() if found.trigger.queue == queue)
