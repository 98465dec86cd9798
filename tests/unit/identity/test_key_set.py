"""The issuer's keys: found, remembered, refreshed."""

import asyncio
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.adapters.jose.compact import MalformedTokenError
from shared.adapters.jose.key_set import KeySet, read_keys
from shared.identity.tokens import TokenKeysUnavailableError
from tests.unit.identity.forgery import KEY_ID


class Issuer:
    """A key set whose address can fail, and a clock that moves when told."""

    def __init__(self, keys: list[dict[str, Any]]) -> None:
        self.keys = keys
        self.fetches = 0
        self.is_down = False
        self.now = 1000.0

    def fetch(self) -> bytes:
        self.fetches += 1
        if self.is_down:
            raise ConnectionRefusedError
        return json.dumps({"keys": self.keys}).encode()


@pytest.fixture
def issuer(public_jwk: dict[str, Any]) -> Issuer:
    return Issuer([public_jwk])


@pytest.fixture
def keys(issuer: Issuer) -> KeySet:
    return KeySet(issuer.fetch, lambda: issuer.now)


async def test_key_is_fetched_once_for_ten_minutes(issuer: Issuer, keys: KeySet) -> None:
    for issuer.now in (1000, 1300, 1599):
        assert await keys.key(KEY_ID) is not None

    assert issuer.fetches == 1
    issuer.now = 1600
    assert await keys.key(KEY_ID) is not None
    assert issuer.fetches == 2


async def test_new_key_is_found_at_once_but_unknown_ids_fetch_at_most_every_thirty_seconds(
    issuer: Issuer, keys: KeySet, public_jwk: dict[str, Any]
) -> None:
    await keys.key(KEY_ID)
    issuer.keys.append({**public_jwk, "kid": "rotated"})
    issuer.now += 30

    assert await keys.key("rotated") is not None
    assert issuer.fetches == 2
    for number in range(100):
        assert await keys.key(f"invented-{number}") is None
    assert issuer.fetches == 2
    issuer.now += 30
    assert await keys.key("invented") is None
    assert issuer.fetches == 3


async def test_many_at_once_fetch_once(issuer: Issuer, keys: KeySet) -> None:
    found = await asyncio.gather(*(keys.key(KEY_ID) for _ in range(20)))

    assert all(found)
    assert issuer.fetches == 1


async def test_remembered_keys_serve_while_the_address_is_down(issuer: Issuer, keys: KeySet) -> None:
    await keys.key(KEY_ID)
    issuer.is_down = True

    issuer.now += 3600
    assert await keys.key(KEY_ID) is not None
    assert await keys.key(KEY_ID) is not None
    assert issuer.fetches == 2

    issuer.now += 86_400
    with pytest.raises(TokenKeysUnavailableError):
        await keys.key(KEY_ID)


async def test_withdrawn_key_is_forgotten(issuer: Issuer, keys: KeySet) -> None:
    await keys.key(KEY_ID)
    issuer.keys.clear()
    issuer.now += 600

    assert await keys.key(KEY_ID) is None


async def test_first_fetch_that_fails_is_tried_again_by_the_next_request(issuer: Issuer, keys: KeySet) -> None:
    issuer.is_down = True
    with pytest.raises(TokenKeysUnavailableError):
        await keys.key(KEY_ID)

    issuer.is_down = False

    assert await keys.key(KEY_ID) is not None


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_only_rsa_signing_keys_of_enough_bits_count(public_jwk: dict[str, Any]) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 (the point of the test)
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    unfit: list[Any] = [
        {**RSAAlgorithm.to_jwk(short.public_key(), as_dict=True), "kid": "short"},
        {**RSAAlgorithm.to_jwk(private, as_dict=True), "kid": "private"},
        {**ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True), "kid": "ec"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        {**public_jwk, "kid": "encryption", "use": "enc"},
        {**public_jwk, "kid": "other algorithm", "alg": "PS256"},
        {**public_jwk, "kid": 5},
        {**public_jwk, "kid": "broken", "n": "!"},
        {**public_jwk, "kid": "twice"},
        {**public_jwk, "kid": "twice"},
        {**public_jwk, "kid": None},
        "key",
    ]

    assert set(read_keys(json.dumps({"keys": [*unfit, public_jwk]}).encode())) == {KEY_ID}


@pytest.mark.parametrize("document", [b"", b"[]", b"<html>", b'{"keys": {}}', b'{"keys": [], "keys": []}'])
async def test_document_that_is_no_key_set_is_as_good_as_none(document: bytes) -> None:
    with pytest.raises(MalformedTokenError):
        read_keys(document)
    with pytest.raises(TokenKeysUnavailableError):
        await KeySet(lambda: document).key(KEY_ID)
