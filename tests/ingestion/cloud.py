"""An emulator with everything that Tessera declares: tables, buckets, queues with dead-letter queues, notifications."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from botocore.config import Config

from localstack import emulator
from shared.adapters.aws.sdk_sessions import for_threads
from shared.composition.settings import LOCAL_FOLDER, Settings
from shared.operations.capabilities import (
    EMBEDDER,
    RESOURCES,
    VECTORS,
    Bucket,
    Cache,
    Database,
    EncryptionKey,
    Queue,
    Resource,
    Secret,
    Table,
)
from shared.operations.tenant_policies import TENANT_ROLE
from tests.own_folders import ending_with_this_process
from tests.postgres.servers import migrated_database, server_of_the_wheel

MODEL = Path(__file__).resolve().parents[2] / ".tessera" / "model"
MAX_RECEIVES = 5


@dataclass(frozen=True)
class Cloud:
    """A running emulator and where everything in it is."""

    variables: dict[str, str]
    dead_letters: dict[str, str]

    @property
    def settings(self) -> Settings:
        return Settings(self.variables)

    def address_of(self, resource: Resource) -> str:
        return self.variables[resource.variable]

    @cached_property
    def dynamodb(self) -> Any:
        return for_threads(boto3.client("dynamodb"))

    @cached_property
    def s3(self) -> Any:
        return for_threads(boto3.client("s3", config=Config(signature_version="s3v4")))

    @cached_property
    def sqs(self) -> Any:
        return for_threads(boto3.client("sqs"))


WATCHERS: Final[list[Callable[[Cloud], None]]] = []
"""What looks into each cloud before it ends: nothing, but for what a suite adds."""


@contextmanager
def running_cloud(folder: Path) -> Iterator[Cloud]:
    """Make all declared resources, on loopback, in the one emulator of this process.

    All clouds of a process share it: AWS clients find it through the environment, which can name one only. The first
    cloud starts it on a free port, with its state in `folder`, and the last one ends it. Before a cloud ends, the
    `WATCHERS` look into it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _emulator.used(folder):
        made = furnish(folder, f"test-{next(_NUMBERS)}")
        yield made
        for look_into in WATCHERS:
            look_into(made)


class _Emulator:
    """An emulator that runs, and that the environment names, while anybody uses it."""

    def __init__(self) -> None:
        self._users = 0
        self._running = ExitStack()

    @contextmanager
    def used(self, folder: Path) -> Iterator[None]:
        if self._users == 0:
            self._running.enter_context(ending_with_this_process(folder))
            started = emulator.start(folder, 0)
            self._running.callback(started.stop)
            patch = self._running.enter_context(pytest.MonkeyPatch.context())
            for name, value in started.environment.items():
                patch.setenv(name, value)
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if self._users == 0:
                self._running.close()


_emulator: Final = _Emulator()
_NUMBERS: Final = count(1)


def furnish(folder: Path, name: str) -> Cloud:
    """Make all declared resources in the emulator that the environment names, called by `name`."""
    cloud = Cloud(
        {
            "TESSERA_ENVIRONMENT": "local",
            "TESSERA_RETRY_BASE_S": "1",
            # The emulator gives sessions of any role.
            TENANT_ROLE: f"arn:aws:iam::{emulator.ACCOUNT}:role/tessera-{name}-tenant",
            LOCAL_FOLDER: str(folder),
            EMBEDDER.resource.variable: str(MODEL),
            VECTORS.variable: "sqlite",
            **{variable: value for variable, value in os.environ.items() if variable.startswith("AWS_")},
        },
        {},
    )
    for resource in RESOURCES:
        _make(cloud, resource, f"tessera-{name}-{resource.name}")
    for resource in RESOURCES:
        if isinstance(resource, Queue) and resource.fed_by is not None:
            _notify(cloud, resource.fed_by, resource)
    return cloud


def _make(cloud: Cloud, resource: Resource, name: str) -> None:
    match resource:
        case Bucket():
            cloud.s3.create_bucket(Bucket=name)
            cloud.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            cloud.variables[resource.variable] = name
        case Queue():
            dead = cloud.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
            arn = cloud.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES})
            address = cloud.sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": redrive})["QueueUrl"]
            cloud.variables[resource.variable] = address
            cloud.dead_letters[resource.name] = dead
        case Table():
            make_table(cloud.dynamodb, resource, name)
            cloud.variables[resource.variable] = name
        case Secret():
            secret = boto3.client("secretsmanager").create_secret(Name=name, SecretString="{}")
            cloud.variables[resource.variable] = secret["ARN"]
        case EncryptionKey():
            key = boto3.client("kms").create_key(Description=name)["KeyMetadata"]
            cloud.variables[resource.variable] = key["Arn"]
        case Database():
            cloud.variables[resource.variable] = migrated_database(server_of_the_wheel()).app
        case Cache():
            # A Redis is started by the tests that want one.
            cloud.variables[resource.variable] = ""


def make_table(client: Any, table: Table, name: str) -> None:
    """Make a table from its declaration, as CDK does."""
    keys = {table.partition_key: "S", table.sort_key: "S"}
    for index in table.indexes:
        keys |= {index.partition_key: "S", index.sort_key: "N"}
    indexes = [
        {
            "IndexName": index.name,
            "KeySchema": _schema(index.partition_key, index.sort_key),
            "Projection": {"ProjectionType": "ALL"},
        }
        for index in table.indexes
    ]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_schema(table.partition_key, table.sort_key),
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    )


def _schema(partition_key: str, sort_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition_key, "KeyType": "HASH"},
        {"AttributeName": sort_key, "KeyType": "RANGE"},
    ]


def _notify(cloud: Cloud, bucket: Bucket, queue: Queue) -> None:
    address = cloud.address_of(queue)
    arn = cloud.sqs.get_queue_attributes(QueueUrl=address, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    cloud.s3.put_bucket_notification_configuration(
        Bucket=cloud.address_of(bucket),
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}]
        },
    )
