"""Every embedding cache keeps the port's promise; DynamoDB's on the emulator."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import numpy as np
import pytest

from localstack import emulator
from shared.adapters.dynamodb.embedding_cache import DynamoDbEmbeddingCache
from shared.kernel.ids import TenantId
from shared.retrieval.embedding import content_hash
from shared.retrieval.ports import ContentHash, EmbeddingCache, Vector

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.real_server

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = datetime(2026, 11, 21, tzinfo=UTC)
TABLE = "embeddings"


class FixedClock:
    def now(self) -> datetime:
        return NOW


@pytest.fixture(scope="module")
def dynamodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator["DynamoDBClient"]:
    running = emulator.start(tmp_path_factory.mktemp("emulator"), 0)
    client = boto3.client(
        "dynamodb",
        endpoint_url=running.endpoint,
        region_name=emulator.REGION,
        aws_access_key_id=emulator.CREDENTIAL,
        aws_secret_access_key=emulator.CREDENTIAL,
    )
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    yield client
    client.close()
    running.stop()


@pytest.fixture(params=["dynamodb"])
def cache(dynamodb: "DynamoDBClient") -> EmbeddingCache:
    return DynamoDbEmbeddingCache(dynamodb, TABLE, FixedClock(), keep=timedelta(days=30))


def vectors_of(texts: list[str]) -> dict[ContentHash, Vector]:
    numbers = np.random.default_rng(7)
    return {content_hash("model", text): numbers.standard_normal(384).astype(np.float32) for text in texts}


async def test_nothing_asked_nothing_answered(cache: EmbeddingCache) -> None:
    await cache.put_many(ACME, {})

    assert await cache.get_many(ACME, []) == {}


async def test_vectors_come_back_bit_by_bit(cache: EmbeddingCache) -> None:
    kept = vectors_of([f"text {number}" for number in range(230)])
    await cache.put_many(ACME, kept)

    found = await cache.get_many(ACME, [*kept, *kept, content_hash("model", "unknown")])

    assert found.keys() == kept.keys()
    assert all(np.array_equal(found[key], kept[key]) for key in kept)


async def test_tenants_do_not_share_entries(cache: EmbeddingCache) -> None:
    kept = vectors_of(["shared text"])
    await cache.put_many(ACME, kept)

    assert await cache.get_many(GLOBEX, list(kept)) == {}


async def test_a_second_put_replaces_the_first(cache: EmbeddingCache) -> None:
    (key,) = vectors_of(["text"])
    await cache.put_many(ACME, {key: np.ones(384, dtype=np.float32)})
    await cache.put_many(ACME, {key: np.zeros(384, dtype=np.float32)})

    assert not (await cache.get_many(ACME, [key]))[key].any()


async def test_entries_of_dynamodb_expire(cache: EmbeddingCache, dynamodb: "DynamoDBClient") -> None:
    (key,) = kept = vectors_of(["passing"])
    await cache.put_many(ACME, kept)

    item = dynamodb.get_item(
        TableName=TABLE, Key={"pk": {"S": f"t#{ACME}#embedding#{key}"}, "sk": {"S": "vector"}}
    )["Item"]  # fmt: skip

    assert int(item["expires_at"]["N"]) == int((NOW + timedelta(days=30)).timestamp())
