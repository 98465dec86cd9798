"""The consumers of all queues as Lambda would run them: real handlers, real messages, guarded clients."""

import asyncio
from contextvars import Context
from types import SimpleNamespace
from typing import Any

from shared.composition.entry import build_handler
from shared.composition.services import Services
from shared.operations.declaration import Operation, QueueTrigger
from shared.operations.grants import Grants
from shared.operations.registry import all_operations
from tests.ingestion.cloud import Cloud
from tests.records import acting_as_test

CONTEXT = SimpleNamespace(
    function_name="test", memory_limit_in_mb=512, invoked_function_arn="arn:aws:lambda:x", aws_request_id="request"
)


class Functions:
    """Every queue consumer and schedule of the deployment, invoked by hand."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._handlers: dict[str, Any] = {}

    async def work_off(self) -> int:
        """Deliver messages until every queue is empty; return how many were delivered."""
        delivered = 0
        while moved := sum([await self.deliver(operation) for operation in _consumers()]):
            delivered += moved
        return delivered

    async def deliver(self, operation: Operation) -> int:
        """Deliver what waits in the operation's queue, once; what fails stays there."""
        trigger = operation.trigger
        assert isinstance(trigger, QueueTrigger)
        address = self._cloud.address_of(trigger.queue)
        received = self._cloud.sqs.receive_message(
            QueueUrl=address, MaxNumberOfMessages=min(10, self.at_once(trigger)), VisibilityTimeout=720
        ).get("Messages", [])
        if not received:
            return 0
        answer = await self.invoke(operation, {"Records": [_record(message) for message in received]})
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for message in received:
            if message["MessageId"] in failed:
                self.failed(address, message["ReceiptHandle"])
            else:
                self._cloud.sqs.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])
        return len(received)

    def at_once(self, trigger: QueueTrigger) -> int:
        """Return how many messages one invocation gets at most."""
        return trigger.batch_size

    def failed(self, address: str, receipt: str) -> None:
        """Leave a message that failed to its queue, which delivers it again after its time."""

    async def invoke(self, operation: Operation, event: dict[str, Any]) -> Any:
        """Run one function with one event, as Lambda does: in a thread without a loop, with nothing ambient."""
        return await asyncio.to_thread(Context().run, self._handler(operation), event, CONTEXT)

    def _handler(self, operation: Operation) -> Any:
        if operation.id not in self._handlers:
            self._handlers[operation.id] = build_handler(operation, self._cloud.settings)
        return self._handlers[operation.id]


def services_of_all(cloud: Cloud) -> Services:
    """Return services that may do whatever any operation may."""
    services = Services(Grants([use for found in all_operations() for use in found.capabilities]), cloud.settings)
    acting_as_test(services, cloud)
    return services


def _consumers() -> list[Operation]:
    return [found for found in all_operations() if isinstance(found.trigger, QueueTrigger)]


def _record(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:queue",
        "awsRegion": "us-east-1",
    }
