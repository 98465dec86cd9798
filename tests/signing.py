"""Access tokens of a test: signed with a key of the emulator's ring, which the functions under test verify by."""

import asyncio
import secrets
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import boto3

from shared.adapters.aws.sdk_sessions import for_threads
from shared.adapters.dynamodb.signing_keys import DynamoPublishedKeys
from shared.adapters.jose.token_signer import JoseTokenSigner, RsaKeyMaker
from shared.adapters.secretsmanager.signing_key_ring import SecretKeySafe
from shared.composition.tenancy import OPEN
from shared.identity.key_rotation import KeyRotation
from shared.identity.permissions import Role
from shared.identity.tokens import MAX_LIFETIME_S
from shared.kernel.clock import SystemClock
from shared.operations.capabilities import IDENTITY, SIGN_UP, SIGNING_KEYS, TOKEN_AUDIENCE, TOKEN_ISSUER
from tests.ingestion.cloud import Cloud

ISSUER: Final = "urn:tessera:test"
AUDIENCE: Final = "tessera"

T = TypeVar("T")


@dataclass(frozen=True)
class TestSigner:
    """Mints any token, also those that sign-in would not: the signature is all that is genuine."""

    __test__ = False

    key_id: str
    private_key: str
    signer: JoseTokenSigner

    def issue(
        self,
        tenant: str,
        user: str,
        role: Role,
        ttl_s: int = MAX_LIFETIME_S,
        now: datetime | None = None,
        **claims: str | int,
    ) -> str:
        """Return a signed access token; `claims` are added to the usual ones, or stand in their place."""
        issued = int((now or SystemClock().now()).timestamp())
        usual: dict[str, str | int] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user,
            "jti": secrets.token_urlsafe(16),
            "iat": issued,
            "exp": issued + ttl_s,
            "tenant": tenant,
            "role": role.value,
        }
        return self.signer.sign({**usual, **claims}, self.key_id, self.private_key)


def settle_names(cloud: Cloud) -> None:
    """Give the functions of `cloud` the names that tokens of a test carry, and open its door."""
    cloud.variables[SIGN_UP.resource.variable] = OPEN
    cloud.variables[TOKEN_ISSUER.resource.variable] = ISSUER
    cloud.variables[TOKEN_AUDIENCE.resource.variable] = AUDIENCE


def open_signer(cloud: Cloud) -> TestSigner:
    """Make the first signing key of `cloud`, if there is none, and return what signs with it."""
    settle_names(cloud)
    published = DynamoPublishedKeys(cloud.dynamodb, cloud.address_of(IDENTITY))
    safe = SecretKeySafe(for_threads(boto3.client("secretsmanager")), cloud.address_of(SIGNING_KEYS))

    async def first_key() -> TestSigner:
        await KeyRotation(published, safe, RsaKeyMaker(), SystemClock()).rotate()
        ring, private = await published.ring(), await safe.private_keys()
        key = ring.signer(private, SystemClock().now())
        return TestSigner(key.key_id, private[key.key_id], JoseTokenSigner())

    return _run(first_key())


def stranger_beside(genuine: TestSigner) -> TestSigner:
    """Return a signer with a key of its own, which it calls by the name of the genuine one."""
    return TestSigner(genuine.key_id, _run(RsaKeyMaker().make()).private, genuine.signer)


def _run(work: Coroutine[Any, Any, T]) -> T:
    # A thread of its own, since the caller's may have an event loop running.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
