"""Accesses and refusals on their way to the audit log, one message each, through SQS."""

import asyncio
from typing import TYPE_CHECKING

from shared.audit.messages import RecordAccesses

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsAccessQueue:
    """Implements `AccessQueue`."""

    def __init__(self, client: "SQSClient", address: str) -> None:
        self._client = client
        self._address = address

    async def send(self, message: RecordAccesses) -> None:
        body = message.model_dump_json()
        await asyncio.to_thread(self._client.send_message, QueueUrl=self._address, MessageBody=body)
