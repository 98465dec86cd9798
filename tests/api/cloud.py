"""What tests of the API look at behind it: the emulator's queues."""

import json
from collections.abc import Mapping
from typing import Any

from shared.operations.capabilities import Queue
from tests.ingestion.cloud import Cloud


def messages_in(cloud: Cloud, queue: Queue) -> list[Mapping[str, Any]]:
    """Take every message out of a queue."""
    address = cloud.address_of(queue)
    bodies: list[Mapping[str, Any]] = []
    while received := cloud.sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10).get("Messages", []):
        for message in received:
            bodies.append(json.loads(message["Body"]))
            cloud.sqs.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])
    return bodies
