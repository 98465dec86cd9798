"""A process that claims as much as it gets: `python -m tests.contract.limit_claims ADDRESS TENANT TIMES AT`."""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from localstack import emulator
from shared.adapters.aws.sdk_sessions import for_threads
from shared.adapters.dynamodb.limit_store import DynamoLimitStore
from shared.adapters.redis.client import Connection
from shared.adapters.redis.limit_store import RedisLimitStore
from shared.kernel.clock import SystemClock
from shared.kernel.ids import TenantId
from shared.limits.admission import Demand
from shared.limits.ports import LimitStore
from shared.limits.rules import Window
from shared.operations.tenants import within

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LIMIT = 1000
DECADE_S = 315_360_000
"""A window that no test sees the end of."""
TABLE = "limits"
PROMPT = Config(connect_timeout=0.5, read_timeout=5, retries={"mode": "standard", "max_attempts": 2})


def dynamodb_at(endpoint: str) -> "DynamoDBClient":
    client = boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=emulator.REGION,
        aws_access_key_id=emulator.CREDENTIAL,
        aws_secret_access_key=emulator.CREDENTIAL,
        config=PROMPT.merge(Config(max_pool_connections=50)),
    )
    return for_threads(client)


@contextmanager
def opened_store(address: str) -> Iterator[LimitStore]:
    """Give the store at an address: Redis, or the emulator's DynamoDB."""
    if address.startswith("redis"):
        redis = Connection(address)
        yield RedisLimitStore(redis)
        redis.close()
    else:
        client = dynamodb_at(address)
        yield DynamoLimitStore(client, TABLE, SystemClock())
        client.close()


async def _claim(address: str, tenant: TenantId, times: int, at: float) -> int:
    with within(tenant), opened_store(address) as store:
        await asyncio.sleep(max(0.0, at - time.time()))
        return sum(
            [(await store.admit(tenant, [Demand(Window("calls", LIMIT, DECADE_S))])).is_admitted for _ in range(times)]
        )


if __name__ == "__main__":
    print(asyncio.run(_claim(sys.argv[1], TenantId(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))))
