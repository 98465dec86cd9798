"""`record_accesses`: what the queue delivers is recorded once, however often and late it does (T7)."""

import json
from pathlib import Path

import pytest

from shared.audit.messages import RecordAccesses
from shared.kernel.ids import TenantId
from shared.operations.capabilities import ACCESS_QUEUE
from shared.operations.registry import load_operation
from tests.audit.logs import Log
from tests.audit.samples import events

EVENT = Path(__file__).resolve().parents[2] / "events" / "sqs" / "record_accesses.json"
CONSUMER = load_operation("audit", "record_accesses")
pytestmark = [pytest.mark.real_server, pytest.mark.slow]


def send(cloud, message):
    cloud.sqs.send_message(QueueUrl=cloud.address_of(ACCESS_QUEUE), MessageBody=message.model_dump_json())


async def test_the_message_of_an_access_is_recorded(cloud, functions):
    message = json.loads(EVENT.read_text())
    told = RecordAccesses.model_validate_json(message["Records"][0]["body"])
    acme = Log(cloud, TenantId("acme"))

    assert await functions.invoke(CONSUMER, message) == {"batchItemFailures": []}

    ids = [sort.removeprefix("pending#") for sort in acme.items("pending#")]
    assert ids == [event.event_id for event in told.events]


async def test_deliveries_before_and_after_sealing_record_an_event_once(cloud, functions, log):
    told = events(7, log.tenant)
    for _ in range(3):
        send(cloud, RecordAccesses(tenant=log.tenant, events=tuple(told)))

    await functions.deliver(CONSUMER)
    await log.sealer().seal(log.tenant)
    send(cloud, RecordAccesses(tenant=log.tenant, events=tuple(told)))
    await functions.deliver(CONSUMER)
    await log.sealer().seal(log.tenant)

    assert await log.sealed() == list(enumerate(told, start=1))


async def test_a_message_that_is_none_fails_alone(cloud, functions, log):
    told = events(2, log.tenant)
    cloud.sqs.send_message(QueueUrl=cloud.address_of(ACCESS_QUEUE), MessageBody='{"tenant": "acme"}')
    send(cloud, RecordAccesses(tenant=log.tenant, events=tuple(told)))
    received = cloud.sqs.receive_message(QueueUrl=cloud.address_of(ACCESS_QUEUE), MaxNumberOfMessages=10)["Messages"]
    records = [
        {**json.loads(EVENT.read_text())["Records"][0], "messageId": one["MessageId"], "body": one["Body"]}
        for one in received
    ]

    answer = await functions.invoke(CONSUMER, {"Records": records})

    (failed,) = [one["messageId"] for one in records if one["body"] == '{"tenant": "acme"}']
    assert answer == {"batchItemFailures": [{"itemIdentifier": failed}]}
    assert len(log.waiting()) == 2
    for one in received:
        cloud.sqs.delete_message(QueueUrl=cloud.address_of(ACCESS_QUEUE), ReceiptHandle=one["ReceiptHandle"])


async def test_an_event_of_another_tenant_than_its_message_is_refused(cloud, functions, log, other_log):
    record = json.loads(EVENT.read_text())["Records"][0]
    mixed = RecordAccesses(tenant=log.tenant, events=tuple(events(1, other_log.tenant)))

    answer = await functions.invoke(CONSUMER, {"Records": [{**record, "body": mixed.model_dump_json()}]})

    assert len(answer["batchItemFailures"]) == 1
    assert log.items() == other_log.items() == {}
