"""No forged token passes, and no refusal says why (T2)."""

from typing import Any, Final

import pytest
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
from tests.unit.identity.forgeries import FORGERIES, HEADERS, KEY_IDS, TYPES
from tests.unit.identity.forgery import CLAIMS, HEADER, NOW_S, Smith
from tests.unit.identity.forging import Forge, Workshop

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


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
async def test_forged_token_is_refused(verifier: JoseTokenVerifier, workshop: Workshop, forge: Forge) -> None:
    await refused(verifier, forge(workshop))


@pytest.mark.parametrize(
    "changes",
    [{"iat": NOW_S + 31, "exp": NOW_S + 600}, {"nbf": NOW_S + 31}, {"iat": NOW_S - 60, "exp": NOW_S - 60 + 3601}],
    ids=["from the future", "not yet", "lives too long"],
)
async def test_one_second_beyond_is_too_much(
    verifier: JoseTokenVerifier, genuine: Smith, changes: dict[str, Any]
) -> None:
    await refused(verifier, genuine.with_claims(**changes))


PLAIN_KEY_IDS: Final = {
    "key id in other letters",
    *(
        f"key id {name!r}"
        for name in (
            "0", "key-2", "null", "undefined", "__proto__", "constructor", "../../../../dev/null", "/dev/null",
            "file:///dev/null", "/proc/self/environ", "https://attacker.example/key",
        )
    ),
}  # fmt: skip
"""Names that a key set could have: only that it does not have them tells that they are no good."""


def test_workshop_makes_genuine_tokens_too(workshop: Workshop) -> None:
    assert workshop.good.genuine() == workshop.good.sign(HEADER, CLAIMS)


@pytest.mark.parametrize(
    "name", [*HEADERS.cases, *TYPES.cases, *(name for name in KEY_IDS.cases if name not in PLAIN_KEY_IDS)]
)
def test_forged_header_is_refused_before_any_library_or_key_is_asked(workshop: Workshop, name: str) -> None:
    with pytest.raises(MalformedTokenError):
        key_id_of(FORGERIES[name](workshop))


def test_second_spelling_of_a_signature_is_refused_before_any_library_is_asked(workshop: Workshop) -> None:
    with pytest.raises(MalformedTokenError):
        key_id_of(FORGERIES["spare bits used"](workshop))


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


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
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
