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
from shared.operations.capabilities import (
    EMBEDDER,
    METADATA,
    RESOURCES,
    TOKEN_AUDIENCE,
    TOKEN_ISSUER,
    TOKEN_KEYS,
    Bucket,
    Queue,
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
    addresses[METADATA.variable] = _metadata_table(aws)
    return addresses


def _metadata_table(aws: Clients) -> str:
    name = "tessera-test-metadata"
    aws.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "due_shard", "AttributeType": "S"},
            {"AttributeName": "due_at", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_shard", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return name


def messages_in(aws: Clients, address: str) -> list[Mapping[str, Any]]:
    """Take every message out of a queue."""
    bodies: list[Mapping[str, Any]] = []
    while received := aws.sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10).get("Messages", []):
        for message in received:
            bodies.append(json.loads(message["Body"]))
            aws.sqs.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])
    return bodies
