"""What a deployment does by itself, when a story has it done: queues are worked off, streams read, schedules run.

It serves all tenants in the same turn. What fails comes back in the next one.
"""

import asyncio
import json
from pathlib import Path
from typing import Any, Final

from shared.adapters.dynamodb.audit_keys import BLOCK_PREFIX, PENDING_PREFIX
from shared.operations.capabilities import ACCESS_QUEUE, AUDIT, REINDEX_QUEUE, Queue
from shared.operations.declaration import Operation, QueueTrigger, ScheduleTrigger
from shared.operations.registry import all_operations, load_operation
from tests.ingestion.cloud import Cloud
from tests.ingestion.functions import Functions

EVENTS: Final = Path(__file__).resolve().parents[2] / "events"
TICK: Final = json.loads((EVENTS / "schedule" / "every_minute.json").read_text(encoding="utf-8"))
_IDLE_ROUNDS: Final = 2
FOR_GOOD_S: Final = 43_200


class Background(Functions):
    """The consumers and schedules of one deployment."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._resting: list[tuple[str, str]] = []

    def forget(self) -> None:
        """Let nothing come back: the queues were emptied."""
        self._resting.clear()

    async def turn(self) -> None:
        """Do whatever is to be done, whosever it is."""
        for address, receipt in self._resting:
            self._show(address, receipt, 0)
        self._resting.clear()
        for operation in _triggered_by(ScheduleTrigger):
            await self.invoke(operation, TICK)
        await self._work_off()
        await self._read_stream("seal_audit_events", PENDING_PREFIX, "pending_partition")
        await self._read_stream("project_audit_log", BLOCK_PREFIX, "pk")

    async def _work_off(self) -> None:
        """Deliver messages until nothing comes of them but that a base that is indexed anew is looked at again."""
        scans = [one for one in _triggered_by(QueueTrigger) if _queue_of(one) == REINDEX_QUEUE]
        others = [one for one in _triggered_by(QueueTrigger) if one not in scans]
        idle = 0
        while idle < _IDLE_ROUNDS:
            delivered = sum([await self._deliver_all(operation) for operation in others])
            idle = 0 if delivered else idle + 1
            for operation in scans:
                # Each of them sends itself again.
                for _ in range(self._waiting_in(_queue_of(operation))):
                    await self.deliver(operation)

    def _waiting_in(self, queue: Queue) -> int:
        asked = {"QueueUrl": self._cloud.address_of(queue), "AttributeNames": ["ApproximateNumberOfMessages"]}
        return int(self._cloud.sqs.get_queue_attributes(**asked)["Attributes"]["ApproximateNumberOfMessages"])

    async def _deliver_all(self, operation: Operation) -> int:
        delivered = 0
        while count := await self.deliver(operation):
            delivered += count
        return delivered

    def at_once(self, trigger: QueueTrigger) -> int:
        """Return one, where it matters to a tenant which of its own files was looked at first."""
        return super().at_once(trigger) if trigger.queue == ACCESS_QUEUE else 1

    def failed(self, address: str, receipt: str) -> None:
        """Keep a message out of sight until the next turn: how long it rests must not depend on how long tests take."""
        self._show(address, receipt, FOR_GOOD_S)
        self._resting.append((address, receipt))

    def _show(self, address: str, receipt: str, after_s: int) -> None:
        self._cloud.sqs.change_message_visibility(QueueUrl=address, ReceiptHandle=receipt, VisibilityTimeout=after_s)

    async def _read_stream(self, operation: str, prefix: str, attribute: str) -> None:
        """Tell an operation of the last record of each tenant in the audit table whose sort key begins so."""
        pages = await asyncio.to_thread(lambda: list(self._pages()))
        found = [item for page in pages for item in page["Items"] if item["sk"]["S"].startswith(prefix)]
        records = list({item["pk"]["S"]: _inserted(item) for item in found if attribute in item}.values())
        if records:
            answer = await self.invoke(load_operation("audit", operation), {"Records": records})
            assert answer == {"batchItemFailures": []}

    def _pages(self) -> Any:
        return self._cloud.dynamodb.get_paginator("scan").paginate(
            TableName=self._cloud.address_of(AUDIT), ConsistentRead=True
        )


def _queue_of(operation: Operation) -> Queue:
    assert isinstance(operation.trigger, QueueTrigger)
    return operation.trigger.queue


def _triggered_by(kind: type[Any]) -> list[Operation]:
    return [one for one in all_operations() if isinstance(one.trigger, kind)]


def _inserted(item: dict[str, Any]) -> dict[str, Any]:
    keys = {name: item[name] for name in ("pk", "sk")}
    return {
        "eventID": item["sk"]["S"],
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": keys, "SequenceNumber": f"{item['pk']['S']} {item['sk']['S']}"},
    }
