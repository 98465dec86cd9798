"""Transactions that meet others on the same items: tried again, given up in time, and told of exactly once."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from shared.adapters.aws.sdk_sessions import for_threads
from shared.adapters.dynamodb.audit_keys import PENDING_PREFIX
from shared.adapters.dynamodb.transactions import CollisionError, Transactions
from shared.audit.acts import Act, NoActError, NoTenantError
from shared.audit.events import AuditEvent, EventKind, read_event
from shared.kernel.ids import TenantId
from shared.operations.capabilities import AUDIT, METADATA
from tests.aws_answers import refusal
from tests.ingestion.cloud import Cloud

pytestmark = pytest.mark.real_server

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


class Clock:
    def now(self) -> datetime:
        return NOW


class Meeting:
    """Answers the first transactions of a client as DynamoDB does when others write the same items."""

    def __init__(self, client: Any, codes: Sequence[str], times: int) -> None:
        self._codes = codes
        self._left = times
        self.asked = 0
        client.meta.events.register("before-send.dynamodb.TransactWriteItems", self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse | None:
        self.asked += 1
        if self.asked > self._left:
            return None
        reasons = [{"Code": code} for code in self._codes]
        return refusal(request, "TransactionCanceledException", CancellationReasons=reasons)


@pytest.fixture
def client(cloud: Cloud) -> Any:
    """A client that nobody else has, for a test to disturb."""
    return for_threads(boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1})))


@pytest.fixture
def tenant() -> TenantId:
    return TenantId(uuid4().hex)


@pytest.fixture
def act(tenant: TenantId) -> Act:
    return Act("put_things", "ada", "req_1", role="owner", tenant=tenant, ip="192.0.2.1")


@pytest.fixture
def transactions(client: Any, cloud: Cloud, act: Act) -> Transactions:
    return Transactions(client, lambda: cloud.address_of(AUDIT), Clock(), lambda: act)


@pytest.fixture
def puts(cloud: Cloud) -> list[dict[str, Any]]:
    name = uuid4().hex
    return [
        {
            "Put": {
                "TableName": cloud.address_of(METADATA),
                "Item": {"pk": {"S": name}, "sk": {"S": str(number)}},
                "ConditionExpression": "attribute_not_exists(pk)",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }
        for number in range(3)
    ]


def told_of(cloud: Cloud, tenant: TenantId) -> list[AuditEvent]:
    found = cloud.dynamodb.query(
        TableName=cloud.address_of(AUDIT),
        KeyConditionExpression="pk = :pk AND begins_with(sk, :pending)",
        ExpressionAttributeValues={":pk": {"S": f"t#{tenant}"}, ":pending": {"S": PENDING_PREFIX}},
    )
    return [read_event(item["event"]["S"]) for item in found["Items"]]


async def test_what_is_done_refuses_nothing_and_is_refused_again_with_what_it_met(
    transactions: Transactions, tenant: TenantId, puts: Any
) -> None:
    assert await transactions.write_all(tenant, "things", puts[1])
    assert not await transactions.write_all(tenant, "things", *puts)

    refused = await transactions.write(tenant, ["things"], puts)

    assert refused == {1: puts[1]["Put"]["Item"]}
    assert await transactions.write(tenant, ["things"], [puts[0], puts[2]]) == {}


async def test_what_is_done_is_told_of_and_what_is_refused_is_not(
    transactions: Transactions, cloud: Cloud, tenant: TenantId, act: Act, puts: Any
) -> None:
    await transactions.write(tenant, ["things/1", "things/2"], puts)
    await transactions.write(tenant, ["things/3"], puts)

    first, second = told_of(cloud, tenant)

    assert (first.actor, first.role, first.operation, first.ip) == ("ada", "owner", "put_things", "192.0.2.1")
    assert (first.kind, first.outcome, first.request_id, first.at) == (EventKind.WRITE, "done", "req_1", NOW)
    assert {first.resource, second.resource} == {"things/1", "things/2"}
    assert {first.step, second.step} == {0, 1}
    assert act.writes == 1


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
async def test_a_transaction_that_met_another_is_tried_again_and_told_of_once(
    client: Any, transactions: Transactions, cloud: Cloud, tenant: TenantId, puts: Any, code: str
) -> None:
    meeting = Meeting(client, ["None", code, "None", "None"], times=3)

    assert await transactions.write(tenant, ["things"], puts) == {}

    assert meeting.asked == 4
    assert len(told_of(cloud, tenant)) == 1
    assert await transactions.write(tenant, ["things"], puts[:1]) == {0: puts[0]["Put"]["Item"]}


async def test_what_was_done_by_a_try_whose_answer_was_lost_is_done_and_told_of_once(
    client: Any, transactions: Transactions, cloud: Cloud, tenant: TenantId, act: Act, puts: Any
) -> None:
    """The second try has another token, as a very late one has: DynamoDB itself does not know it again."""
    send = client.transact_write_items
    lost: list[Any] = []

    def send_and_lose(**request: Any) -> Any:
        answer = send(**request)
        if not lost:
            lost.append(answer)
            conflict: Any = {"Error": {"Code": "x"}, "CancellationReasons": [{"Code": "TransactionConflict"}]}
            raise client.exceptions.TransactionCanceledException(conflict, "TransactWriteItems")
        return answer

    client.transact_write_items = send_and_lose

    assert await transactions.write(tenant, ["things"], puts) == {}

    assert lost
    assert len(told_of(cloud, tenant)) == 1
    assert act.writes == 1


async def test_a_transaction_that_keeps_meeting_others_is_given_up_and_told_of_by_nobody(
    client: Any, transactions: Transactions, cloud: Cloud, tenant: TenantId, act: Act, puts: Any
) -> None:
    meeting = Meeting(client, ["TransactionConflict", "None", "None", "None"], times=100)

    with pytest.raises(CollisionError):
        await transactions.write(tenant, ["things"], puts)

    assert meeting.asked == 8
    assert told_of(cloud, tenant) == []
    assert act.writes == 0


async def test_a_refusal_outweighs_a_meeting(
    client: Any, transactions: Transactions, tenant: TenantId, puts: Any
) -> None:  # fmt: skip
    meeting = Meeting(client, ["TransactionConflict", "ConditionalCheckFailed", "None", "None"], times=1)

    assert await transactions.write(tenant, ["things"], puts) == {1: {}}

    assert meeting.asked == 1


async def test_any_other_reason_is_told_as_it_is(
    client: Any, transactions: Transactions, tenant: TenantId, puts: Any
) -> None:  # fmt: skip
    meeting = Meeting(client, ["ItemCollectionSizeLimitExceeded", "None", "None", "None"], times=1)

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        await transactions.write(tenant, ["things"], puts)

    assert meeting.asked == 1


async def test_a_single_put_that_moves_work_on_and_meets_a_transaction_is_refused(
    client: Any, transactions: Transactions, cloud: Cloud, tenant: TenantId, puts: Any
) -> None:
    """A plain put is not queued behind a transaction on its item: DynamoDB refuses it."""
    conflict = "TransactionConflictException"
    client.meta.events.register("before-send.dynamodb.PutItem", lambda request, **_: refusal(request, conflict))

    assert await transactions.keep(puts[:1]) == {0: {}}

    assert await transactions.keep(puts[1:]) == {}
    assert told_of(cloud, tenant) == []


async def test_a_transaction_has_room_for_its_events(transactions: Transactions, tenant: TenantId, puts: Any) -> None:
    with pytest.raises(ValueError, match="100 actions"):
        await transactions.write(tenant, ["things"], puts * 34)


async def test_nobody_writes_outside_of_an_act(client: Any, cloud: Cloud, tenant: TenantId, puts: Any) -> None:
    transactions = Transactions(client, lambda: cloud.address_of(AUDIT))

    with pytest.raises(NoActError):
        await transactions.write(tenant, ["things"], puts)


async def test_what_belongs_to_no_tenant_is_told_of_in_the_log_of_whoever_acts(
    transactions: Transactions, cloud: Cloud, tenant: TenantId, act: Act, puts: Any
) -> None:
    assert await transactions.write_own("users/ada/password", puts[0])
    act.tenant = None
    with pytest.raises(NoTenantError):
        await transactions.write_own("users/ada/password", puts[1])

    assert [event.resource for event in told_of(cloud, tenant)] == ["users/ada/password"]
