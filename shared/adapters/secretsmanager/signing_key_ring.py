"""The private halves of the signing keys, in one secret of AWS Secrets Manager.

The secret's string is JSON, `{"keys": {"<key id>": "<PKCS 8, PEM>"}}`. Anything else, such as the `{}` of a fresh
deployment, holds no keys; writing `{}` over it withdraws all of them.
"""

import asyncio
import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.identity.signing_keys import PrivateKeys, SigningKeysUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class SecretKeySafe:
    """Implements `KeySafe`."""

    def __init__(self, client: "SecretsManagerClient", secret: str) -> None:
        self._client = client
        self._secret = secret

    async def private_keys(self) -> PrivateKeys:
        try:
            answer = await asyncio.to_thread(self._client.get_secret_value, SecretId=self._secret)
        except self._client.exceptions.ResourceNotFoundException as error:
            if "staging label" in str(error):
                # The secret is there and never had a value.
                return {}
            raise SigningKeysUnavailableError from error
        except (BotoCoreError, ClientError) as error:
            raise SigningKeysUnavailableError from error
        return _read(answer.get("SecretString", ""))

    async def replace(self, keys: PrivateKeys) -> None:
        content = json.dumps({"keys": dict(keys)}, sort_keys=True)
        await asyncio.to_thread(self._client.put_secret_value, SecretId=self._secret, SecretString=content)


def _read(content: str) -> PrivateKeys:
    try:
        written: Any = json.loads(content)
    except ValueError:
        return {}
    keys = written.get("keys") if isinstance(written, dict) else None
    if not isinstance(keys, dict):
        return {}
    return {str(key_id): str(private) for key_id, private in keys.items()}
