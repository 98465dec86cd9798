"""No forged token passes, and no refusal says why (T2)."""

import hmac
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from shared.adapters.jose.compact import MalformedTokenError, key_id_of
from shared.adapters.jose.token_verifier import JoseTokenVerifier
from shared.identity.caller import Caller
from shared.identity.permissions import Role
from shared.identity.tokens import InvalidTokenError
from shared.kernel.errors import Kind
from shared.kernel.ids import TenantId, UserId
from tests.unit.identity.forgery import CLAIMS, HEADER, ISSUER, NOW_S, Absent, Smith, encode

ADA: Final = Caller(TenantId("acme"), UserId("ada@acme.example"), Role.MAINTAINER)


async def test_genuine_token_names_its_caller(verifier: JoseTokenVerifier, genuine: Smith) -> None:
    assert await verifier.verify(genuine.sign(HEADER, CLAIMS)) == ADA


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["somebody-else", "tessera"]},
        {"exp": NOW_S - 60 + 3600},
        {"iat": NOW_S + 30, "exp": NOW_S + 60},
        {"nbf": NOW_S},
        {"scope": "read", "client_id": "cli", "nested": {"a": [1, {"b": None}]}},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_what_an_issuer_may_say_is_believed(
    verifier: JoseTokenVerifier, genuine: Smith, changes: dict[str, Any]
) -> None:
    assert await verifier.verify(genuine.with_claims(**changes)) == ADA


async def test_every_role_is_recognised(verifier: JoseTokenVerifier, genuine: Smith) -> None:
    for role in Role:
        caller = await verifier.verify(genuine.with_claims(role=role.value))
        assert caller.role is role


HEADER_FORGERIES: Final[dict[str, dict[str, Any]]] = {
    "algorithm none": {"alg": "none"},
    "algorithm None": {"alg": "None"},
    "algorithm NONE": {"alg": "NONE"},
    "algorithm nOnE": {"alg": "nOnE"},
    "algorithm HS256": {"alg": "HS256"},
    "algorithm RS384": {"alg": "RS384"},
    "algorithm PS256": {"alg": "PS256"},
    "algorithm ES256": {"alg": "ES256"},
    "algorithm rs256": {"alg": "rs256"},
    "algorithm list": {"alg": ["RS256"]},
    "algorithm absent": {"alg": Absent},
    "type JWT": {"typ": "JWT"},
    "type with prefix": {"typ": "application/at+jwt"},
    "type in capitals": {"typ": "AT+JWT"},
    "type absent": {"typ": Absent},
    "id token": {"typ": "id+jwt"},
    "critical extension": {"crit": ["exp"], "exp": NOW_S + 600},
    "critical b64": {"crit": ["b64"], "b64": True},
    "unencoded payload": {"crit": ["b64"], "b64": False},
    "b64 alone": {"b64": True},
    "key by address": {"jku": "https://attacker.example/keys.json"},
    "certificate by address": {"x5u": "https://attacker.example/chain.pem"},
    "certificate chain": {"x5c": ["MIIB"]},
    "compressed": {"zip": "DEF"},
    "nested token": {"cty": "JWT"},
    "key id absent": {"kid": Absent},
    "key id empty": {"kid": ""},
    "key id null": {"kid": None},
    "key id number": {"kid": 1},
    "key id path": {"kid": "../../../../dev/null"},
    "key id query": {"kid": "key-1' UNION SELECT 'secret"},
    "key id command": {"kid": "key-1|/bin/sh"},
    "key id with line feed": {"kid": "key-1\n"},
    "key id with nul": {"kid": "key-1\x00"},
    "key id unknown": {"kid": "key-2"},
    "key id too long": {"kid": "k" * 129},
}


@pytest.mark.parametrize("changes", HEADER_FORGERIES.values(), ids=HEADER_FORGERIES)
async def test_signed_token_with_a_forged_header_is_refused(
    verifier: JoseTokenVerifier, genuine: Smith, changes: dict[str, Any]
) -> None:
    await refused(verifier, genuine.with_header(**changes))


@pytest.mark.parametrize("name", sorted(HEADER_FORGERIES.keys() - {"key id unknown", "key id path"}))
def test_forged_header_is_refused_before_any_library_or_key_is_asked(genuine: Smith, name: str) -> None:
    with pytest.raises(MalformedTokenError):
        key_id_of(genuine.with_header(**HEADER_FORGERIES[name]))


def test_second_spelling_of_a_signature_is_refused_before_any_library_is_asked(genuine: Smith) -> None:
    with pytest.raises(MalformedTokenError):
        key_id_of(_spare_bits(genuine.sign(HEADER, CLAIMS)))


CLAIM_FORGERIES: Final[dict[str, dict[str, Any]]] = {
    **{f"{name} absent": {name: Absent} for name in CLAIMS},
    **{f"{name} null": {name: None} for name in CLAIMS},
    "other issuer": {"iss": "https://attacker.example"},
    "issuer with slash": {"iss": ISSUER + "/"},
    "issuer list": {"iss": [ISSUER]},
    "other audience": {"aud": "tessera-admin"},
    "audience part": {"aud": "tess"},
    "audience object": {"aud": {"tessera": True}},
    "audience list with a number": {"aud": ["tessera", 1]},
    "audience list without end": {"aud": ["tessera"] * 17},
    "expired this second": {"exp": NOW_S},
    "expired long ago": {"iat": NOW_S - 4000, "exp": NOW_S - 1000},
    "expiry as text": {"exp": str(NOW_S + 600)},
    "expiry as fraction": {"exp": NOW_S + 600.5},
    "expiry as whole fraction": {"exp": float(NOW_S + 600)},
    "expiry true": {"exp": True},
    "expiry far away": {"exp": NOW_S + 10**9},
    "lives a second too long": {"iat": NOW_S - 60, "exp": NOW_S - 60 + 3601},
    "born after its end": {"iat": NOW_S + 20, "exp": NOW_S + 10},
    "from the future": {"iat": NOW_S + 31, "exp": NOW_S + 600},
    "birth as text": {"iat": str(NOW_S - 60)},
    "birth false": {"iat": False},
    "not yet": {"nbf": NOW_S + 31},
    "not before null": {"nbf": None},
    "not before as fraction": {"nbf": NOW_S - 1.5},
    "tenant empty": {"tenant": ""},
    "tenant in capitals": {"tenant": "Acme"},
    "tenant with separator": {"tenant": "acme#kb"},
    "tenant with slash": {"tenant": "acme/kb"},
    "tenant climbing": {"tenant": ".."},
    "tenant with line feed": {"tenant": "acme\n"},
    "tenant with look-alike": {"tenant": "аcme"},
    "tenant too long": {"tenant": "a" * 64},
    "tenant list": {"tenant": ["acme"]},
    "tenant number": {"tenant": 7},
    "user empty": {"sub": ""},
    "user with separator": {"sub": "ada#1"},
    "user with space": {"sub": "ada lovelace"},
    "user with surrogate": {"sub": "ada\ud800"},
    "user too long": {"sub": "a" * 129},
    "role in capitals": {"role": "OWNER"},
    "role unknown": {"role": "root"},
    "role list": {"role": ["owner"]},
    "role object": {"role": {"owner": True}},
    "token id empty": {"jti": ""},
    "token id number": {"jti": 5},
    "token id too long": {"jti": "j" * 256},
}


@pytest.mark.parametrize("changes", CLAIM_FORGERIES.values(), ids=CLAIM_FORGERIES)
async def test_signed_token_with_unfit_claims_is_refused(
    verifier: JoseTokenVerifier, genuine: Smith, changes: dict[str, Any]
) -> None:
    await refused(verifier, genuine.with_claims(**changes))


Forge = Callable[[Smith, Smith, dict[str, Any]], str]


def _hmac_token(secret: bytes, algorithm: str = "HS256") -> str:
    signing_input = f"{encode(json.dumps({**HEADER, 'alg': algorithm}).encode())}.{encode(json.dumps(CLAIMS).encode())}"
    return f"{signing_input}.{encode(hmac.digest(secret, signing_input.encode(), sha256))}"


def _unsigned(algorithm: str, signature: str) -> str:
    header = json.dumps({**HEADER, "alg": algorithm}).encode()
    return f"{encode(header)}.{encode(json.dumps(CLAIMS).encode())}.{signature}"


def _pem(genuine: Smith) -> bytes:
    return genuine.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _pss(genuine: Smith) -> str:
    signing_input = genuine.sign(HEADER, CLAIMS).rpartition(".")[0]
    signature = genuine.key.sign(signing_input.encode(), padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
    return f"{signing_input}.{encode(signature)}"


def _sha384(genuine: Smith) -> str:
    signing_input = genuine.sign(HEADER, CLAIMS).rpartition(".")[0]
    return f"{signing_input}.{encode(genuine.key.sign(signing_input.encode(), padding.PKCS1v15(), SHA384()))}"


def _swapped_payload(genuine: Smith) -> str:
    header, _, signature = genuine.sign(HEADER, CLAIMS).split(".")
    return f"{header}.{encode(json.dumps({**CLAIMS, 'role': 'owner'}).encode())}.{signature}"


def _spare_bits(token: str) -> str:
    """Write the same signature with another last digit: 256 bytes leave four spare bits in it."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + digits[digits.index(token[-1]) ^ 1]


def _twice(members: dict[str, Any], name: str, value: str) -> bytes:
    return json.dumps(members)[:-1].encode() + f', "{name}": "{value}"}}'.encode()


FORGERIES: Final[dict[str, Forge]] = {
    "signed by a stranger": lambda good, bad, jwk: bad.sign(HEADER, CLAIMS),
    "key sent along": lambda good, bad, jwk: bad.with_header(jwk={**jwk, "n": encode(b"\x01" * 256)}),
    "own key sent along": lambda good, bad, jwk: good.with_header(jwk=jwk),
    "unsigned": lambda good, bad, jwk: _unsigned("none", ""),
    "unsigned, said to be signed": lambda good, bad, jwk: _unsigned("RS256", ""),
    "zeros for a signature": lambda good, bad, jwk: _unsigned("RS256", encode(bytes(256))),
    "one byte for a signature": lambda good, bad, jwk: _unsigned("RS256", encode(b"\x00")),
    "public key as a secret": lambda good, bad, jwk: _hmac_token(_pem(good)),
    "public key as a secret, no line feed": lambda good, bad, jwk: _hmac_token(_pem(good).strip()),
    "key set as a secret": lambda good, bad, jwk: _hmac_token(json.dumps(jwk).encode()),
    "empty secret": lambda good, bad, jwk: _hmac_token(b""),
    "secret, said to be RS256": lambda good, bad, jwk: _hmac_token(_pem(good), "RS256"),
    "PSS, said to be RS256": lambda good, bad, jwk: _pss(good),
    "SHA-384, said to be RS256": lambda good, bad, jwk: _sha384(good),
    "payload swapped": lambda good, bad, jwk: _swapped_payload(good),
    "signature bit flipped": lambda good, bad, jwk: good.sign(HEADER, CLAIMS)[:-20] + "A" * 20,
    "signature cut": lambda good, bad, jwk: good.sign(HEADER, CLAIMS)[:-4],
    "spare bits used": lambda good, bad, jwk: _spare_bits(good.sign(HEADER, CLAIMS)),
    "padded": lambda good, bad, jwk: good.sign(HEADER, CLAIMS) + "==",
    "fourth segment": lambda good, bad, jwk: good.sign(HEADER, CLAIMS) + ".e30",
    "trailing dot": lambda good, bad, jwk: good.sign(HEADER, CLAIMS) + ".",
    "trailing line feed": lambda good, bad, jwk: good.sign(HEADER, CLAIMS) + "\n",
    "leading space": lambda good, bad, jwk: " " + good.sign(HEADER, CLAIMS),
    "nul inside": lambda good, bad, jwk: good.sign(HEADER, CLAIMS).replace(".", ".\x00", 1),
    "line feed in a segment": lambda good, bad, jwk: good.sign(HEADER, CLAIMS).replace(".", "\n.", 1),
    "two tokens": lambda good, bad, jwk: f"{good.sign(HEADER, CLAIMS)},{good.sign(HEADER, CLAIMS)}",
    "not ASCII": lambda good, bad, jwk: good.sign(HEADER, CLAIMS) + "é",
    "empty": lambda good, bad, jwk: "",
    "dots": lambda good, bad, jwk: "..",
    "one segment": lambda good, bad, jwk: encode(b"{}"),
    "encrypted token": lambda good, bad, jwk: ".".join([encode(b'{"alg":"RSA-OAEP"}')] + ["AAAA"] * 4),
    "JSON serialisation": lambda good, bad, jwk: json.dumps(
        dict(zip(("protected", "payload", "signature"), good.sign(HEADER, CLAIMS).split("."), strict=True))
    ),
    "standard base64": lambda good, bad, jwk: good.sign(HEADER, {**CLAIMS, "x": "??>>??>>~~"}).replace("_", "/"),
    "header twice the algorithm": lambda good, bad, jwk: good.sign(_twice(HEADER, "alg", "none"), CLAIMS),
    "header twice the key id": lambda good, bad, jwk: good.sign(_twice(HEADER, "kid", "key-1"), CLAIMS),
    "claims twice the tenant": lambda good, bad, jwk: good.sign(HEADER, _twice(CLAIMS, "tenant", "globex")),
    "claims twice the role": lambda good, bad, jwk: good.sign(HEADER, _twice(CLAIMS, "role", "owner")),
    "claims twice, escaped": lambda good, bad, jwk: good.sign(HEADER, _twice(CLAIMS, "\\u0072ole", "owner")),
    "equal names inside a claim": lambda good, bad, jwk: good.sign(
        HEADER, json.dumps(CLAIMS)[:-1].encode() + b', "act": {"sub": "a", "sub": "b"}}'
    ),
    "payload array": lambda good, bad, jwk: good.sign(HEADER, json.dumps([CLAIMS]).encode()),
    "payload text": lambda good, bad, jwk: good.sign(HEADER, b'"acme"'),
    "payload null": lambda good, bad, jwk: good.sign(HEADER, b"null"),
    "payload not JSON": lambda good, bad, jwk: good.sign(HEADER, b"tenant=acme"),
    "payload with more behind it": lambda good, bad, jwk: good.sign(HEADER, json.dumps(CLAIMS).encode() + b"{}"),
    "payload with nul behind it": lambda good, bad, jwk: good.sign(HEADER, json.dumps(CLAIMS).encode() + b"\x00"),
    "payload with byte order mark": lambda good, bad, jwk: good.sign(
        HEADER, b"\xef\xbb\xbf" + json.dumps(CLAIMS).encode()
    ),
    "payload in UTF-16": lambda good, bad, jwk: good.sign(HEADER, json.dumps(CLAIMS).encode("utf-16")),
    "payload with NaN": lambda good, bad, jwk: good.with_claims(weight=float("nan")),
    "payload with infinity": lambda good, bad, jwk: good.with_claims(exp=float("inf")),
    "payload with a huge number": lambda good, bad, jwk: good.sign(
        HEADER, json.dumps(CLAIMS).encode().replace(str(NOW_S + 600).encode(), b"9" * 5000)
    ),
    "payload too deep": lambda good, bad, jwk: good.sign(
        HEADER, json.dumps(CLAIMS)[:-1].encode() + b', "deep": ' + b"[" * 2000 + b"]" * 2000 + b"}"
    ),
    "header array": lambda good, bad, jwk: good.sign(json.dumps([HEADER]).encode(), CLAIMS),
    "header empty": lambda good, bad, jwk: good.sign(b"{}", CLAIMS),
    "header with more behind it": lambda good, bad, jwk: good.sign(json.dumps(HEADER).encode() + b" x", CLAIMS),
    "too large": lambda good, bad, jwk: good.with_claims(padding="x" * 8192),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
async def test_forged_token_is_refused(
    verifier: JoseTokenVerifier, genuine: Smith, stranger: Smith, public_jwk: dict[str, Any], forge: Forge
) -> None:
    await refused(verifier, forge(genuine, stranger, public_jwk))


async def refused(verifier: JoseTokenVerifier, token: str) -> None:
    """Check that `token` is refused in the one way in which tokens are refused."""
    with pytest.raises(InvalidTokenError) as refusal:
        await verifier.verify(token)

    assert str(refusal.value) == str(InvalidTokenError())
    assert refusal.value.kind is Kind.UNAUTHENTICATED
    assert refusal.value.facts == {}
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("limit", [8192])
async def test_the_longest_token_still_passes(verifier: JoseTokenVerifier, genuine: Smith, limit: int) -> None:
    longest = max(
        (token for length in range(5400, 5800) if len(token := genuine.with_claims(padding="x" * length)) <= limit),
        key=len,
    )

    assert limit - 4 < len(longest) <= limit
    assert await verifier.verify(longest) == ADA


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_passes_means_the_same_to_another_library(
    verifier: JoseTokenVerifier, genuine: Smith, public_jwk: dict[str, Any], data: st.DataObject
) -> None:
    """Two independent readers: joserfc must verify all that passes here and read the same claims out of it."""
    token = data.draw(mutations(genuine.sign(HEADER, CLAIMS)))

    try:
        caller = await verifier.verify(token)
    except InvalidTokenError:
        return

    claims = verified_by_joserfc(token, public_jwk)
    assert claims is not None
    assert (claims["tenant"], claims["sub"], claims["role"]) == (caller.tenant, caller.user, caller.role)


async def test_the_other_library_agrees_on_the_genuine_token_and_on_a_strangers(
    genuine: Smith, stranger: Smith, public_jwk: dict[str, Any]
) -> None:
    assert verified_by_joserfc(genuine.sign(HEADER, CLAIMS), public_jwk) == CLAIMS
    assert verified_by_joserfc(stranger.sign(HEADER, CLAIMS), public_jwk) is None


def verified_by_joserfc(token: str, public_jwk: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return dict(joserfc_jwt.decode(token, RSAKey.import_key(dict(public_jwk)), algorithms=["RS256"]).claims)
    except (JoseError, ValueError):
        return None


@st.composite
def mutations(draw: st.DrawFn, token: str) -> str:
    """Return `token` with a few characters replaced, inserted, removed or doubled; sometimes untouched."""
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(token)))
        inserted = draw(st.text("ABCZabcz019-_.=\n \x00é", max_size=3))
        removed = draw(st.integers(0, 3))
        token = token[:place] + inserted + token[place + removed :]
    return token
