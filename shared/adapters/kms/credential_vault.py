"""Credentials sealed by KMS, each bound to its tenant and provider by the encryption context: it opens nowhere else."""

import asyncio
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from shared.kernel.ids import IdentityProviderId, TenantId

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsCredentialVault:
    """Implements `CredentialVault`: what is sealed is text in base 64; KMS takes 4,096 bytes at most."""

    def __init__(self, client: "KMSClient", key: str) -> None:
        self._client = client
        self._key = key

    async def seal(self, tenant: TenantId, provider_id: IdentityProviderId, secret: str) -> str:
        answer = await asyncio.to_thread(
            self._client.encrypt,
            KeyId=self._key,
            Plaintext=secret.encode(),
            EncryptionContext=_context(tenant, provider_id),
        )
        return b64encode(answer["CiphertextBlob"]).decode()

    async def open(self, tenant: TenantId, provider_id: IdentityProviderId, sealed: str) -> str:
        answer = await asyncio.to_thread(
            self._client.decrypt,
            KeyId=self._key,
            CiphertextBlob=b64decode(sealed),
            EncryptionContext=_context(tenant, provider_id),
        )
        return answer["Plaintext"].decode()


def _context(tenant: TenantId, provider_id: IdentityProviderId) -> dict[str, str]:
    return {"tenant": tenant, "provider": provider_id}
