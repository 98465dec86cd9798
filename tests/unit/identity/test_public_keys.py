"""Keys of other issuers: each verifies what its owner says, within what it is."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.adapters.jose.compact import ID_TOKEN
from shared.adapters.jose.public_keys import read_public_keys


def algorithms_of(entry: dict[str, Any]) -> set[str] | None:
    """Return what the only key of a document may verify, None when it counts as none."""
    found = read_public_keys(json.dumps({"keys": [{"kid": "k", **entry}]}).encode(), ID_TOKEN.algorithms)
    return set(found["k"].algorithms) if found else None


@pytest.fixture(scope="module")
def rsa_key() -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {name: jwk[name] for name in ("kty", "n", "e")}


def elliptic(curve: ec.EllipticCurve) -> dict[str, Any]:
    jwk: dict[str, Any] = ECAlgorithm.to_jwk(ec.generate_private_key(curve).public_key(), as_dict=True)
    return jwk


def test_rsa_key_verifies_either_padding_or_the_one_it_names(rsa_key):
    assert algorithms_of(rsa_key) == {"RS256", "PS256"}
    assert algorithms_of({**rsa_key, "alg": "RS256", "use": "sig"}) == {"RS256"}
    assert algorithms_of({**rsa_key, "alg": "PS256"}) == {"PS256"}


def test_elliptic_key_verifies_on_its_own_curve_only():
    assert algorithms_of(elliptic(ec.SECP256R1())) == {"ES256"}
    assert algorithms_of(elliptic(ec.SECP384R1())) is None
    assert algorithms_of({**elliptic(ec.SECP384R1()), "alg": "ES256"}) is None


def test_keys_for_other_ends_are_passed_over(rsa_key):
    assert algorithms_of({**rsa_key, "use": "enc"}) is None
    assert algorithms_of({**rsa_key, "alg": "RS512"}) is None
    assert algorithms_of({**rsa_key, "alg": "ES256"}) is None
    assert algorithms_of({**rsa_key, "alg": ["RS256"]}) is None
    assert algorithms_of({**rsa_key, "kty": ["RSA"]}) is None
    assert algorithms_of({**elliptic(ec.SECP256R1()), "alg": "RS256"}) is None
    assert algorithms_of({"kty": "oct", "k": "c2VjcmV0"}) is None
    assert algorithms_of({**ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)}) is None
