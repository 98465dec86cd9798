"""The password of a database's owner, as RDS keeps and rotates it."""

import asyncio
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


async def owner_password(client: "SecretsManagerClient", secret_arn: str) -> str:
    """Return the present password. Raises: botocore's ClientError when there is no such secret.

    Source: "Password management with Amazon Aurora and AWS Secrets Manager", Amazon Aurora User Guide: an object with
    `username` and `password`.
    """
    found = await asyncio.to_thread(client.get_secret_value, SecretId=secret_arn)
    password: str = json.loads(found["SecretString"])["password"]
    return password
