"""Every embedding cache keeps the port's promise; DynamoDB's on the emulator."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from shared.adapters.dynamodb.embedding_cache import DynamoDbEmbeddingCache
from shared.kernel.ids import TenantId
from shared.operations.capabilities import EMBEDDINGS
from shared.retrieval.embedding import content_hash
from shared.retrieval.ports import ContentHash, EmbeddingCache, Vector
from tests.clocks import ManualClock
from tests.ingestion.cloud import Cloud

pytestmark = pytest.mark.real_server

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def cache(cloud: Cloud) -> EmbeddingCache:
    return DynamoDbEmbeddingCache(
        cloud.dynamodb, cloud.address_of(EMBEDDINGS), ManualClock(NOW), keep=timedelta(days=30)
    )


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


async def test_entries_of_dynamodb_expire(cache: EmbeddingCache, cloud: Cloud) -> None:
    (key,) = kept = vectors_of(["passing"])
    await cache.put_many(ACME, kept)

    item = cloud.dynamodb.get_item(
        TableName=cloud.address_of(EMBEDDINGS), Key={"pk": {"S": f"t#{ACME}#embedding#{key}"}, "sk": {"S": "vector"}}
    )["Item"]

    assert int(item["expires_at"]["N"]) == int((NOW + timedelta(days=30)).timestamp())
