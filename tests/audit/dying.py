"""The functions of the audit log in a process of their own, which is killed (SIGKILL) at one of its calls to AWS."""

import itertools
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from typing import Any

import boto3
from botocore.client import BaseClient

from shared.audit.messages import RecordAccesses
from shared.composition.entry import build_handler
from shared.composition.settings import Settings
from shared.operations.capabilities import ACCESS_QUEUE
from shared.operations.registry import load_operation
from tests.ingestion.functions import CONTEXT

AT_ONCE = 4
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.audit.warm"])


@dataclass(frozen=True)
class Death:
    """Before or after which call the process is killed; call 0 never comes."""

    call: int = 0
    after: bool = False


def live(variables: dict[str, str], death: Death, calls: "Synchronized[int] | None" = None) -> None:
    """Work until killed; `calls` gets the number of calls to AWS that were made."""
    doom(variables, death, calls)
    work(Settings(variables))


def doom(variables: dict[str, str], death: Death, calls: "Synchronized[int] | None" = None) -> None:
    """Have this process die at its `death`; `calls` gets the number of calls to AWS that were made until then."""
    os.environ.update({name: value for name, value in variables.items() if name.startswith("AWS_")})
    made = itertools.count(1)
    really = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: Any, *arguments: Any) -> Any:
        number = next(made)
        if calls is not None:
            calls.value = max(calls.value, number)
        if (number, False) == (death.call, death.after):
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return really(client, *arguments)
        finally:
            if (number, True) == (death.call, death.after):
                os.kill(os.getpid(), signal.SIGKILL)

    BaseClient._make_api_call = call  # type: ignore[attr-defined]


def ends_of(live: Callable[..., None], lives: Sequence[tuple[Any, ...]]) -> list[int | None]:
    """Let processes live, `AT_ONCE` at a time, each with its arguments; return how each ended.

    One thread starts and joins them all: how a process ended can be read from its pipe once, and `multiprocessing` also
    reads there whenever it starts another process. Of two threads, the later one would see a 255 that nobody returned.
    """
    ends = []
    for first in range(0, len(lives), AT_ONCE):
        processes = [PROCESSES.Process(target=live, args=life) for life in lives[first : first + AT_ONCE]]
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)
        ends += [process.exitcode for process in processes]
    return ends


def work(settings: Settings) -> None:
    """Work the queue off, seal what the stream tells of, seal leftovers, anchor: as AWS would invoke the functions."""

    def invoke(operation_id: str, event: dict[str, Any]) -> Any:
        return build_handler(load_operation("audit", operation_id), settings)(event, CONTEXT)

    sqs = boto3.client("sqs")
    address = settings.address_of(ACCESS_QUEUE)
    while received := sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10, VisibilityTimeout=0).get(
        "Messages", []
    ):
        assert invoke("record_accesses", {"Records": [_delivered(message) for message in received]}) == {
            "batchItemFailures": []
        }
        for message in received:
            sqs.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])
        assert invoke("seal_audit_events", {"Records": _changes(received)}) == {"batchItemFailures": []}
    invoke("seal_leftover_events", {})
    invoke("anchor_audit_log", {})


def _delivered(message: Any) -> dict[str, Any]:
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


def _changes(messages: list[Any]) -> list[dict[str, Any]]:
    """What the stream tells of the items that recording has put."""
    told = [RecordAccesses.model_validate_json(message["Body"]) for message in messages]
    events = {event.event_id: event for message in told for event in message.events}
    return [
        {
            "eventID": event_id,
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {
                "Keys": {"pk": {"S": f"t#{event.tenant}"}, "sk": {"S": f"pending#{event_id}"}},
                "SequenceNumber": json.dumps(number),
            },
        }
        for number, (event_id, event) in enumerate(events.items())
    ]
