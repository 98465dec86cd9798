"""Messages of ingestion on SQS, each under its tenant's group, so that one tenant's flood delays nobody else (K2)."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from shared.knowledge.errors import RetryLaterError
from shared.knowledge.keys import parse_key
from shared.knowledge.messages import LookAgain, Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_BATCH: Final = 10
"""As many entries as SQS takes at once."""

_MAX_DELAY_S: Final = 900

AddressOf = Callable[[type[Message]], str]
"""Names the queue address of a message type; raises when the function may not send there."""


class SqsWorkQueue:
    """Implements `WorkQueue`."""

    def __init__(self, client: "SQSClient", address_of: AddressOf) -> None:
        self._client = client
        self._address_of = address_of

    async def send(self, messages: Sequence[Message], delay_s: int = 0) -> None:
        entries_by_address: dict[str, list[dict[str, Any]]] = {}
        for message in messages:
            entries = entries_by_address.setdefault(self._address_of(type(message)), [])
            entries.append(_entry(str(len(entries)), message, min(delay_s, _MAX_DELAY_S)))
        for address, entries in entries_by_address.items():
            for start in range(0, len(entries), _BATCH):
                await asyncio.to_thread(self._send_batch, address, entries[start : start + _BATCH])

    def _send_batch(self, address: str, entries: list[dict[str, Any]]) -> None:
        answer = self._client.send_message_batch(QueueUrl=address, Entries=entries)  # type: ignore[arg-type]
        failed = answer.get("Failed", [])
        if failed:
            raise RetryLaterError(
                "The queue did not take every message. The step is repeated.", retry_after_s=1, failed=len(failed)
            )


def _entry(entry_id: str, message: Message, delay_s: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"Id": entry_id, "MessageBody": message.model_dump_json(), "DelaySeconds": delay_s}
    group = _group_of(message)
    return entry if group is None else {**entry, "MessageGroupId": group}


def _group_of(message: Message) -> str | None:
    if isinstance(message, LookAgain):
        parsed = parse_key(message.keys[0]) if message.keys else None
        return None if parsed is None else parsed.tenant
    tenant: str | None = getattr(message, "tenant", None)
    return tenant
