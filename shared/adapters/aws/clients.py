"""boto3 clients that refuse what the operation did not declare, before anything is sent.

The guard reads the same literal actions that CDK writes into the role, so an ordinary test on an emulator without IAM
fails where AWS would deny.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

Guard = Callable[[str, str], None]
"""Takes an address (name of a table or bucket, address of a queue, ARN of a secret or key) and an IAM action.

Raises when the action was not declared.
"""

WriteCheck = Callable[[str, Mapping[str, Any]], None]
"""Takes the name and the parameters of a request to DynamoDB. Raises when it writes what no audit event tells of."""

_CONFIG: Final = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "max_attempts": 4})
_PROMPT_CONFIG: Final = Config(connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "max_attempts": 2})

_TRANSACT_ACTIONS: Final = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Get": "dynamodb:GetItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}

_S3_ACTIONS: Final = {
    "CreateBucket": "s3:PutObject",  # how botocore prepares a presigned POST; nothing of ours creates buckets
    "HeadObject": "s3:GetObject",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListObjectsV2": "s3:ListBucket",
    "DeleteObjects": "s3:DeleteObject",
}

_SQS_ACTIONS: Final = {
    "SendMessageBatch": "sqs:SendMessage",
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "DeleteMessageBatch": "sqs:DeleteMessage",
}


class AwsClients:
    """The AWS clients of one function, each made when first asked for."""

    def __init__(self, guard: Guard, check_told: WriteCheck) -> None:
        self._guard = guard
        self._check_told = check_told

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        client = boto3.client("dynamodb", config=_CONFIG)
        client.meta.events.register("provide-client-params.dynamodb", self._check_dynamodb)
        return client

    @cached_property
    def prompt_dynamodb(self) -> "DynamoDBClient":
        """A client of three short tries: for what every request waits for."""
        client = boto3.client("dynamodb", config=_PROMPT_CONFIG)
        client.meta.events.register("provide-client-params.dynamodb", self._check_dynamodb)
        return client

    @cached_property
    def s3(self) -> "S3Client":
        client = boto3.client("s3", config=_CONFIG.merge(Config(signature_version="s3v4")))
        client.meta.events.register("provide-client-params.s3", self._check_s3)
        return client

    @cached_property
    def sqs(self) -> "SQSClient":
        client = boto3.client("sqs", config=_CONFIG)
        client.meta.events.register("provide-client-params.sqs", self._check_sqs)
        return client

    @cached_property
    def prompt_sqs(self) -> "SQSClient":
        """A client of two short tries: for what every request waits for."""
        client = boto3.client("sqs", config=_PROMPT_CONFIG)
        client.meta.events.register("provide-client-params.sqs", self._check_sqs)
        return client

    @cached_property
    def events(self) -> "EventBridgeClient":
        client = boto3.client("events", config=_CONFIG)
        client.meta.events.register("provide-client-params.events", self._check_events)
        return client

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        client = boto3.client("secretsmanager", config=_CONFIG)
        client.meta.events.register("provide-client-params.secretsmanager", self._check_secrets)
        return client

    @cached_property
    def kms(self) -> "KMSClient":
        client = boto3.client("kms", config=_CONFIG)
        client.meta.events.register("provide-client-params.kms", self._check_kms)
        return client

    def _check_dynamodb(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        for address, action in _dynamodb_uses(model.name, params):
            self._guard(address, action)
        self._check_told(model.name, params)

    def _check_s3(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        action = _S3_ACTIONS.get(model.name, f"s3:{model.name}")
        if params.get("VersionId") and action in {"s3:GetObject", "s3:DeleteObject"}:
            action += "Version"
        self._guard(params["Bucket"], action)

    def _check_sqs(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self._guard(params["QueueUrl"], _SQS_ACTIONS.get(model.name, f"sqs:{model.name}"))

    def _check_events(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        for entry in params["Entries"]:
            self._guard(entry["EventBusName"], f"events:{model.name}")

    def _check_secrets(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self._guard(params["SecretId"], f"secretsmanager:{model.name}")

    def _check_kms(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        # A decryption that names no key would be done with whatever key the content names.
        self._guard(params.get("KeyId", ""), f"kms:{model.name}")


def _dynamodb_uses(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if operation in {"TransactWriteItems", "TransactGetItems"}:
        for item in params["TransactItems"]:
            for verb, part in item.items():
                yield part["TableName"], _TRANSACT_ACTIONS[verb]
    elif operation in {"BatchGetItem", "BatchWriteItem"}:
        for table in params["RequestItems"]:
            yield table, f"dynamodb:{operation}"
    else:
        yield params["TableName"], f"dynamodb:{operation}"
