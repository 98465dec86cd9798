"""Secrets sealed by the emulator's KMS open for their own tenant and provider only."""

import boto3
import pytest
from botocore.exceptions import ClientError

from shared.adapters.kms.credential_vault import KmsCredentialVault
from shared.kernel.ids import IdentityProviderId, TenantId
from shared.operations.capabilities import CREDENTIALS_KEY

pytestmark = pytest.mark.real_server

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
FIRST, SECOND = IdentityProviderId("idp_" + "0" * 26), IdentityProviderId("idp_" + "1" * 26)


async def test_sealed_secret_opens_nowhere_else(cloud):
    vault = KmsCredentialVault(boto3.client("kms"), cloud.address_of(CREDENTIALS_KEY))

    sealed = await vault.seal(ACME, FIRST, "geheim ünd mehr")

    assert "geheim" not in sealed
    assert await vault.open(ACME, FIRST, sealed) == "geheim ünd mehr"
    for tenant, provider in ((GLOBEX, FIRST), (ACME, SECOND)):
        with pytest.raises(ClientError):
            await vault.open(tenant, provider, sealed)
