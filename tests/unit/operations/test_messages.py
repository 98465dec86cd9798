"""Queue consumers, streams, schedules and the authorizer as Lambda sees them."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from shared.identity.caller import Caller
from shared.identity.permissions import Role
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId, UserId
from shared.operations.authorizers import build_authorizer
from shared.operations.callers import read_caller
from shared.operations.capabilities import METADATA, PARSE_QUEUE
from shared.operations.changes import TableChange
from shared.operations.declaration import AuthorizerTrigger, QueueTrigger, ScheduleTrigger, StreamTrigger
from shared.operations.messages import (
    MAX_POSTPONE_S,
    build_queue_consumer,
    build_schedule,
    build_stream_consumer,
)
from tests.unit.operations.samples import sample_operation

pytestmark = pytest.mark.usefixtures("event_loop_of_a_function")


class Task(BaseModel):
    name: str


class BusyError(TesseraError):
    code = "busy"
    kind = Kind.UNAVAILABLE
    retry_after_s = 10**9


class Recorder:
    """Services that remember what reached them."""

    def __init__(self) -> None:
        self.seen: list[Any] = []


def sqs_record(message_id: str, body: str) -> dict[str, Any]:
    return {"messageId": message_id, "receiptHandle": f"handle-{message_id}", "body": body, "attributes": {},
            "messageAttributes": {}, "eventSource": "aws:sqs"}  # fmt: skip


async def do_task(task: Task, services: Recorder) -> None:
    """Do a task."""
    if task.name == "busy":
        raise BusyError("Later.")
    services.seen.append(task.name)


@pytest.fixture
def postponed() -> list[tuple[str, int]]:
    return []


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def consume(recorder, postponed):
    async def postpone(handle: str, seconds: int) -> None:
        postponed.append((handle, seconds))

    operation = sample_operation(do_task, QueueTrigger(PARSE_QUEUE))
    return build_queue_consumer(operation, lambda _: recorder, postpone)


def test_record_that_fails_fails_alone(consume, recorder):
    event = {"Records": [sqs_record("1", '{"name":"a"}'), sqs_record("2", "nonsense"), sqs_record("3", '{"name":"b"}')]}

    answer = consume(event, None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert sorted(recorder.seen) == ["a", "b"]


def test_batch_in_which_all_fail_is_not_an_error_of_the_function(consume):
    assert consume({"Records": [sqs_record("1", "{}")]}, None) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_failure_that_names_a_delay_postpones_the_next_delivery_within_the_limit(consume, postponed):
    consume({"Records": [sqs_record("1", '{"name":"busy"}')]}, None)

    assert postponed == [("handle-1", MAX_POSTPONE_S)]


def test_stream_hands_over_plain_values(recorder):
    async def note_change(change: TableChange, services: Recorder) -> None:
        """Note a change."""
        services.seen.append((change.kind, change.keys["pk"], change.new))

    handle = build_stream_consumer(sample_operation(note_change, StreamTrigger(METADATA)), lambda _: recorder)
    record = {
        "eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": {"pk": {"S": "t#acme"}}, "NewImage": {"n": {"N": "3"}}, "SequenceNumber": "7"},
    }  # fmt: skip

    answer = handle({"Records": [record]}, None)

    assert answer == {"batchItemFailures": []}
    assert recorder.seen == [("INSERT", "t#acme", {"n": 3})]


def test_schedule_runs_and_answers(recorder):
    async def tick(services: Recorder) -> Task:
        """Tick."""
        services.seen.append("tick")
        return Task(name="done")

    answer = build_schedule(sample_operation(tick, ScheduleTrigger(1)), lambda _: recorder)({}, None)

    assert (answer, recorder.seen) == ({"name": "done"}, ["tick"])


class RefusedTokenError(TesseraError):
    code = "refused"
    kind = Kind.UNAUTHENTICATED


class KeysGoneError(TesseraError):
    code = "keys-gone"
    kind = Kind.UNAVAILABLE


async def recognise(token: str, services: Recorder) -> Caller:
    """Recognise a token."""
    if token == "bad":
        raise RefusedTokenError("no")
    if token == "outage":
        raise KeysGoneError("later")
    return Caller(TenantId("acme"), UserId("ada"), Role.VIEWER)


@pytest.fixture
def authorize(recorder):
    return build_authorizer(sample_operation(recognise, AuthorizerTrigger()), lambda _: recorder)


def test_authorizer_passes_on_who_it_is_and_nothing_about_what_they_may(authorize):
    answer = authorize({"headers": {"Authorization": "Bearer good"}}, None)

    assert (answer["isAuthorized"], answer["context"]["tenant"]) == (True, "acme")
    assert read_caller(answer["context"]["caller"]) == Caller(TenantId("acme"), UserId("ada"), Role.VIEWER)


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Basic abc"}, {"authorization": "Bearer bad"}, {"authorization": "Bearer  "}, None],
)
def test_authorizer_denies_nobody_and_names_nobody_whom_it_cannot_recognise(authorize, headers):
    assert authorize({"headers": headers}, None) == {"isAuthorized": True, "context": {}}


def test_authorizer_does_not_call_an_outage_a_refusal(authorize):
    with pytest.raises(KeysGoneError):
        authorize(json.loads('{"headers": {"authorization": "Bearer outage"}}'), None)
