"""The entries of operations without a caller: queue consumers, streams and schedules.

A record that fails, fails alone. Effects are idempotent by themselves, so no result is cached (architecture §7).
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from pydantic import BaseModel

from shared.audit.acts import acting
from shared.operations.audit import act_of_system, invocation_id
from shared.operations.changes import TableChange
from shared.operations.declaration import LambdaHandler, Operation, ServicesOf
from shared.operations.tenants import for_change, for_invocation, for_message

Postpone = Callable[[str, int], Awaitable[None]]
"""Hide a message, named by its receipt handle, for so many seconds before its next delivery."""

MAX_POSTPONE_S = 43_200
"""SQS refuses a longer visibility time-out."""

_log = logging.getLogger("tessera.messages")


def build_queue_consumer(operation: Operation, services_of: ServicesOf, postpone: Postpone) -> LambdaHandler:
    """Return the handler of a queue's batch.

    Each body is parsed into the model that annotates the operation's first parameter; a body that does not fit fails
    and ends in the dead-letter queue. A failure that carries `retry_after_s` postpones its next delivery.
    """
    message_type = _first_parameter_type(operation)
    processor = AsyncBatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    async def consume(record: SQSRecord) -> None:
        try:
            message = message_type.model_validate_json(record.body)
            with acting(act_of_system(operation, record.message_id)), for_message(operation, message):
                await operation.function(message, services=services_of(operation))
        except Exception as error:
            retry_after_s = getattr(error, "retry_after_s", None)
            _log.warning(
                "message failed",
                extra={"operation": operation.id, "message_id": record.message_id, "retry_after_s": retry_after_s},
                exc_info=error,
            )
            if retry_after_s is not None:
                await postpone(record.receipt_handle, min(int(retry_after_s), MAX_POSTPONE_S))
            raise

    return _batch_handler(consume, processor)


def build_stream_consumer(operation: Operation, services_of: ServicesOf) -> LambdaHandler:
    """Return the handler of a table stream's batch: the operation gets one `TableChange` at a time."""
    processor = AsyncBatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)

    async def consume(record: DynamoDBRecord) -> None:
        stream = record.dynamodb
        if stream is None or record.event_name is None:
            raise ValueError("A stream record without a change.")
        change = TableChange(
            sequence=str(stream.sequence_number),
            kind=record.event_name.name,
            keys=stream.keys or {},
            old=stream.old_image or None,
            new=stream.new_image or None,
        )
        with acting(act_of_system(operation, change.sequence)), for_change(operation, change.keys):
            await operation.function(change, services=services_of(operation))

    return _batch_handler(consume, processor)


def build_schedule(operation: Operation, services_of: ServicesOf) -> LambdaHandler:
    """Return the handler of a schedule's tick; what the operation returns is logged and answered."""

    def handle(_event: dict[str, Any], context: Any) -> Any:
        with acting(act_of_system(operation, invocation_id(context))), for_invocation(operation):
            result = asyncio.run(operation.function(services=services_of(operation)))
        answer = result.model_dump(mode="json") if isinstance(result, BaseModel) else result
        _log.info("schedule ran", extra={"operation": operation.id, "result": json.dumps(answer, default=str)})
        return answer

    return handle


def _batch_handler(consume: Callable[[Any], Awaitable[None]], processor: AsyncBatchProcessor) -> LambdaHandler:
    def handle(event: dict[str, Any], context: Any) -> Any:
        return async_process_partial_response(event, consume, processor, context)

    return handle


def _first_parameter_type(operation: Operation) -> type[BaseModel]:
    hints = get_type_hints(operation.function)
    name = next(iter(hints))
    message_type: type[BaseModel] = hints[name]
    return message_type
