"""Transactions that meet others on the same items: tried again, and given up in time."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from shared.adapters.dynamodb.records import DynamoRecords
from shared.adapters.dynamodb.transactions import CollisionError, transact, write_all
from shared.kernel.ids import KnowledgeBaseId, TenantId, new_id
from shared.knowledge.config import KnowledgeBaseConfig
from shared.knowledge.errors import StaleWriteError
from shared.knowledge.models import KnowledgeBase
from shared.knowledge.ports import Put
from shared.operations.capabilities import METADATA
from tests.aws_answers import refusal
from tests.ingestion.cloud import Cloud

pytestmark = pytest.mark.real_server

ACME = TenantId("acme")
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


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
    return boto3.client("dynamodb")


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


async def test_what_is_done_refuses_nothing_and_is_refused_again_with_what_it_met(client: Any, puts: Any) -> None:
    assert await write_all(client, puts[1])
    assert not await write_all(client, *puts)

    refused = await transact(client, puts)

    assert refused == {1: puts[1]["Put"]["Item"]}
    assert await transact(client, [puts[0], puts[2]]) == {}


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
async def test_a_transaction_that_met_another_is_tried_again(client: Any, puts: Any, code: str) -> None:
    meeting = Meeting(client, ["None", code, "None"], times=3)

    assert await transact(client, puts) == {}

    assert meeting.asked == 4
    assert await transact(client, puts[:1]) == {0: puts[0]["Put"]["Item"]}


async def test_a_transaction_that_keeps_meeting_others_is_given_up(client: Any, puts: Any) -> None:
    meeting = Meeting(client, ["TransactionConflict", "None", "None"], times=100)

    with pytest.raises(CollisionError):
        await transact(client, puts)

    assert meeting.asked == 8


async def test_a_refusal_outweighs_a_meeting(client: Any, puts: Any) -> None:
    meeting = Meeting(client, ["TransactionConflict", "ConditionalCheckFailed", "None"], times=1)

    assert await transact(client, puts) == {1: {}}

    assert meeting.asked == 1


async def test_any_other_reason_is_told_as_it_is(client: Any, puts: Any) -> None:
    meeting = Meeting(client, ["ItemCollectionSizeLimitExceeded", "None", "None"], times=1)

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        await transact(client, puts)

    assert meeting.asked == 1


async def test_a_single_record_that_meets_a_transaction_is_stale(cloud: Cloud, client: Any) -> None:
    """A plain put is not queued behind a transaction on its item: DynamoDB refuses it."""
    client.meta.events.register(
        "before-send.dynamodb.PutItem", lambda request, **_: refusal(request, "TransactionConflictException")
    )
    base = KnowledgeBase(ACME, KnowledgeBaseId(new_id("kb", NOW)), "Base", KnowledgeBaseConfig(), NOW, NOW)

    with pytest.raises(StaleWriteError):
        await DynamoRecords(client, cloud.address_of(METADATA)).commit(ACME, [Put(base)])
