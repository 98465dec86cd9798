"""Vectors by content hash in DynamoDB, one item each, gone after a while (K5)."""

import asyncio
import logging
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId
from shared.retrieval.ports import ContentHash, Vector

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_READ_AT_ONCE: Final = 100
_WRITTEN_AT_ONCE: Final = 25
_ROUNDS: Final = 4
_FIRST_PAUSE_S: Final = 0.05

_log = logging.getLogger("tessera.embedding_cache")


class DynamoDbEmbeddingCache:
    """An `EmbeddingCache` in the table `embeddings`.

    Every entry is a partition of its own, so that no tenant has a hot one. What the table does not take or give after
    some patience counts as lost or unknown, and is embedded again another time.
    """

    def __init__(
        self, client: "DynamoDBClient", table: str, clock: Clock, keep: timedelta = timedelta(days=90)
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._keep = keep

    async def get_many(self, tenant: TenantId, hashes: Sequence[ContentHash]) -> dict[ContentHash, Vector]:
        unique = list(dict.fromkeys(hashes))
        return await asyncio.to_thread(self._read, tenant, unique) if unique else {}

    async def put_many(self, tenant: TenantId, vectors: Mapping[ContentHash, Vector]) -> None:
        if vectors:
            await asyncio.to_thread(self._write, tenant, vectors)

    def _read(self, tenant: TenantId, hashes: Sequence[ContentHash]) -> dict[ContentHash, Vector]:
        vectors: dict[ContentHash, Vector] = {}
        for batch in _batches(hashes, _READ_AT_ONCE):
            pending: list[Any] = [_key(tenant, key) for key in batch]
            for _ in _patiently():
                answer = self._client.batch_get_item(
                    RequestItems={self._table: {"Keys": pending, "ProjectionExpression": "pk, vector"}}
                )
                for item in answer["Responses"].get(self._table, []):
                    key = ContentHash(item["pk"]["S"].rpartition("#")[2])
                    vectors[key] = np.frombuffer(item["vector"]["B"], dtype="<f4").astype(np.float32)
                unprocessed = answer["UnprocessedKeys"]
                pending = list(unprocessed[self._table]["Keys"]) if self._table in unprocessed else []
                if not pending:
                    break
            else:
                _log.warning("embeddings not read", extra={"entries": len(pending)})
        return vectors

    def _write(self, tenant: TenantId, vectors: Mapping[ContentHash, Vector]) -> None:
        expires_at = str(int((self._clock.now() + self._keep).timestamp()))
        for batch in _batches(list(vectors), _WRITTEN_AT_ONCE):
            pending: list[Any] = [
                {
                    "PutRequest": {
                        "Item": {
                            **_key(tenant, key),
                            "vector": {"B": vectors[key].astype("<f4").tobytes()},
                            "expires_at": {"N": expires_at},
                        }
                    }
                }
                for key in batch
            ]
            for _ in _patiently():
                answer = self._client.batch_write_item(RequestItems={self._table: pending})
                pending = list(answer["UnprocessedItems"].get(self._table, []))
                if not pending:
                    break
            else:
                _log.warning("embeddings not kept", extra={"entries": len(pending)})


def _key(tenant: TenantId, key: ContentHash) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"t#{tenant}#embedding#{key}"}, "sk": {"S": "vector"}}


def _patiently() -> Iterator[int]:
    """Yield the number of each round, after a pause that doubles and scatters, none before the first."""
    for round_number in range(_ROUNDS):
        if round_number:
            pause = _FIRST_PAUSE_S * 2 ** (round_number - 1)
            time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 (scatters retries, guards nothing)
        yield round_number


def _batches(keys: Sequence[ContentHash], size: int) -> Iterator[list[ContentHash]]:
    remaining = iter(keys)
    while batch := list(islice(remaining, size)):
        yield batch
