"""Queues of ingestion: what is sent arrives, as it was sent, where its kind belongs (K2, invariant 8)."""

import json

import pytest

from shared.adapters.sqs.work_queue import SqsWorkQueue
from shared.composition.queues import queue_of
from shared.knowledge.messages import (
    AdvanceReindex,
    FetchUrlSource,
    IndexChunks,
    LookAgain,
    ParseDocument,
    Sweep,
    SweepDocument,
    SweepKnowledgeBase,
)
from shared.operations.capabilities import (
    ACCEPT_QUEUE,
    FETCH_QUEUE,
    INDEX_QUEUE,
    PARSE_QUEUE,
    REINDEX_QUEUE,
    SWEEP_QUEUE,
)

BASE, DOCUMENT = "kb_" + "0" * 26, "doc_" + "0" * 26
PLACE = {"tenant": "acme", "kb_id": BASE, "document_id": DOCUMENT}
pytestmark = pytest.mark.real_server


@pytest.fixture
def queue(cloud):
    return SqsWorkQueue(cloud.sqs, lambda message: cloud.address_of(queue_of(message)))


def taken_from(cloud, resource):
    address, found = cloud.address_of(resource), []
    while received := cloud.sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10).get("Messages", []):
        for message in received:
            found.append(message["Body"])
            cloud.sqs.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])
    return found


async def test_nothing_sent_nothing_arrives(cloud, queue):
    await queue.send([])

    assert taken_from(cloud, PARSE_QUEUE) == []


async def test_each_message_arrives_once_where_its_kind_belongs(cloud, queue):
    batches = [IndexChunks(**PLACE, generation=1, batch=number) for number in range(23)]
    parse = ParseDocument(**PLACE, generation=2)
    fetch = FetchUrlSource(**PLACE, generation=3)
    look = LookAgain(keys=(f"t/acme/kb/{BASE}/ä b",))
    sweeps = [SweepDocument(**PLACE), SweepKnowledgeBase(tenant="acme", kb_id=BASE)]
    advance = AdvanceReindex(tenant="acme", kb_id=BASE, target=2)

    await queue.send([parse, *batches, fetch, look, *sweeps, advance])

    looked = [LookAgain.model_validate_json(body) for body in taken_from(cloud, ACCEPT_QUEUE)]
    assert [message for message in looked if message.keys] == [look]  # a new notification sends a test event
    arrived = [IndexChunks.model_validate_json(body) for body in taken_from(cloud, INDEX_QUEUE)]
    assert sorted(arrived, key=lambda message: message.batch) == batches
    assert [ParseDocument.model_validate_json(body) for body in taken_from(cloud, PARSE_QUEUE)] == [parse]
    assert [FetchUrlSource.model_validate_json(body) for body in taken_from(cloud, FETCH_QUEUE)] == [fetch]
    assert [AdvanceReindex.model_validate_json(body) for body in taken_from(cloud, REINDEX_QUEUE)] == [advance]
    swept = [Sweep.model_validate_json(body).root for body in taken_from(cloud, SWEEP_QUEUE)]
    assert sorted(swept, key=lambda message: message.kind) == sweeps


async def test_a_delayed_message_is_not_there_yet(cloud, queue):
    await queue.send([SweepDocument(**PLACE)], delay_s=900)

    assert taken_from(cloud, SWEEP_QUEUE) == []


async def test_a_bucket_s_own_event_is_read_with_its_key_decoded(cloud):
    key = f"t/acme/kb/{BASE}/straße/a b+c.md"
    cloud.s3.put_object(Bucket=cloud.variables["TESSERA_UPLOADS"], Key=key, Body=b"x")

    bodies = taken_from(cloud, ACCEPT_QUEUE)

    events = [body for body in bodies if json.loads(body).get("Records")]
    assert [LookAgain.model_validate_json(body).keys for body in events] == [(key,)]
