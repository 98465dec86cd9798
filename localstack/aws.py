"""AWS clients for the emulator."""

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from localstack.emulator import CREDENTIAL, REGION

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

_CONFIG: Final = Config(s3={"addressing_style": "path"}, connect_timeout=2, retries={"max_attempts": 2})
"""Bucket names in the path, since nothing resolves them as hosts here; quick to notice that the emulator is gone."""


def cloudformation(endpoint: str) -> "CloudFormationClient":
    return _session().client("cloudformation", endpoint_url=endpoint, config=_CONFIG)


def dynamodb(endpoint: str) -> "DynamoDBClient":
    return _session().client("dynamodb", endpoint_url=endpoint, config=_CONFIG)


def functions(endpoint: str) -> "LambdaClient":
    return _session().client("lambda", endpoint_url=endpoint, config=_CONFIG)


def logs(endpoint: str) -> "CloudWatchLogsClient":
    return _session().client("logs", endpoint_url=endpoint, config=_CONFIG)


def secrets(endpoint: str) -> "SecretsManagerClient":
    return _session().client("secretsmanager", endpoint_url=endpoint, config=_CONFIG)


def s3(endpoint: str) -> "S3Client":
    return _session().client("s3", endpoint_url=endpoint, config=_CONFIG)


def sqs(endpoint: str) -> "SQSClient":
    return _session().client("sqs", endpoint_url=endpoint, config=_CONFIG)


def _session() -> boto3.Session:
    return boto3.Session(aws_access_key_id=CREDENTIAL, aws_secret_access_key=CREDENTIAL, region_name=REGION)
