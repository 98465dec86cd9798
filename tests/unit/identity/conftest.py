"""One genuine issuer, one stranger, one verifier that trusts the first."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from shared.adapters.jose.key_set import KeySet
from shared.adapters.jose.token_verifier import JoseTokenVerifier
from tests.clocks import ManualClock
from tests.unit.identity.forgery import AUDIENCE, ISSUER, KEY_ID, NOW, NOW_S, Smith
from tests.unit.identity.forging import Workshop, open_workshop


@pytest.fixture(scope="session")
def genuine() -> Smith:
    return Smith(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.fixture(scope="session")
def stranger() -> Smith:
    return Smith(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.fixture(scope="session")
def public_jwk(genuine: Smith) -> dict[str, Any]:
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(genuine.key.public_key(), as_dict=True)
    return {"kty": "RSA", "n": jwk["n"], "e": jwk["e"], "kid": KEY_ID, "use": "sig", "alg": "RS256"}


@pytest.fixture(scope="session")
def workshop(genuine: Smith, stranger: Smith) -> Workshop:
    return open_workshop(genuine.key, stranger.key, NOW_S)


@pytest.fixture
def verifier(public_jwk: dict[str, Any]) -> JoseTokenVerifier:
    document = json.dumps({"keys": [public_jwk]}).encode()
    return JoseTokenVerifier(KeySet(lambda: document), issuer=ISSUER, audience=AUDIENCE, clock=ManualClock(NOW))
