"""The parts of a local cloud that operations talk to, made from the same declarations as the real ones."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from localstack import emulator
from localstack.install import MODEL
from localstack.issuer import AUDIENCE, ISSUER, LocalIssuer
from shared.composition.adapters import EMBEDDED_VECTORS
from shared.composition.settings import LOCAL_FOLDER
from shared.operations.capabilities import (
    EMBEDDER,
    RESOURCES,
    TOKEN_AUDIENCE,
    TOKEN_ISSUER,
    TOKEN_KEYS,
    VECTORS,
    Bucket,
    Queue,
    Table,
)


@contextmanager
def running_cloud(folder: Path, issuer: LocalIssuer) -> Iterator[dict[str, str]]:
    """Start an emulator with the table, buckets and queues of Tessera; yield the settings of a function in it."""
    started = emulator.start(folder, 0)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in started.environment.items():
            patch.setenv(name, value)
        try:
            yield {
                **_resources(unguarded_clients()),
                "TESSERA_ENVIRONMENT": "local",
                EMBEDDER.resource.variable: str(MODEL),
                VECTORS.variable: EMBEDDED_VECTORS,
                LOCAL_FOLDER: str(folder),
                TOKEN_ISSUER.resource.variable: ISSUER,
                TOKEN_AUDIENCE.resource.variable: AUDIENCE,
                TOKEN_KEYS.resource.variable: issuer.keys_address,
            }
        finally:
            started.stop()


@dataclass(frozen=True)
class Clients:
    """Clients that may do anything: what a test uses to arrange and to look behind the API."""

    dynamodb: Any
    s3: Any
    sqs: Any


def unguarded_clients() -> Clients:
    return Clients(boto3.client("dynamodb"), boto3.client("s3"), boto3.client("sqs"))


def _resources(aws: Clients) -> dict[str, str]:
    addresses: dict[str, str] = {}
    for resource in RESOURCES:
        name = f"tessera-test-{resource.name}"
        if isinstance(resource, Bucket):
            aws.s3.create_bucket(Bucket=name)
            aws.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            addresses[resource.variable] = name
        elif isinstance(resource, Queue):
            addresses[resource.variable] = aws.sqs.create_queue(QueueName=name)["QueueUrl"]
        elif isinstance(resource, Table):
            _create_table(aws, name, resource)
            addresses[resource.variable] = name
    return addresses


def _create_table(aws: Clients, name: str, table: Table) -> None:
    indexes = [
        {
            "IndexName": index.name,
            "KeySchema": _key_schema(index.partition_key, index.sort_key),
            "Projection": {"ProjectionType": "ALL"},
        }
        for index in table.indexes
    ]
    types = {table.partition_key: "S", table.sort_key: "S"}
    for index in table.indexes:
        types |= {index.partition_key: "S", index.sort_key: "N"}
    aws.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_key_schema(table.partition_key, table.sort_key),
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in types.items()],
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    )


def _key_schema(partition_key: str, sort_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition_key, "KeyType": "HASH"},
        {"AttributeName": sort_key, "KeyType": "RANGE"},
    ]


def messages_in(aws: Clients, address: str) -> list[Mapping[str, Any]]:
    """Take every message out of a queue."""
    bodies: list[Mapping[str, Any]] = []
    while received := aws.sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10).get("Messages", []):
        for message in received:
            bodies.append(json.loads(message["Body"]))
            aws.sqs.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])
    return bodies
