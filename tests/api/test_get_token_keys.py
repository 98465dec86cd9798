"""get_token_keys."""

import jwt
import pytest

from shared.composition.app import build_whole_app
from shared.composition.settings import Settings
from shared.operations.capabilities import IDENTITY
from tests.api.people import stranger
from tests.api.tenants import problem_of
from tests.ingestion.cloud import make_table


async def test_anybody_verifies_a_token_by_the_published_keys(ada, acme, app):
    ada.joins(acme.id)
    token = (await ada.session())["access_token"]

    async with stranger(app) as client:
        response = await client.get("/.well-known/jwks.json")

    keys = jwt.PyJWKSet.from_dict(response.json())
    kid = jwt.get_unverified_header(token)["kid"]
    claims = jwt.decode(token, keys[kid], ["RS256"], audience="tessera", issuer="urn:tessera:test")
    assert claims["tenant"] == acme.id


async def test_answer_may_be_kept_for_ten_minutes_and_holds_nothing_private(app, issuer):
    async with stranger(app) as client:
        response = await client.get("/.well-known/jwks.json")

    assert response.headers["cache-control"] == "public, max-age=600"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert {name for key in response.json()["keys"] for name in key} == {"kty", "use", "alg", "kid", "n", "e"}


@pytest.fixture
def bare_app(cloud):
    """The API of a deployment whose first key is not made yet."""
    name = f"{cloud.address_of(IDENTITY)}-without-keys"
    make_table(cloud.dynamodb, IDENTITY, name)
    yield build_whole_app(Settings({**cloud.variables, IDENTITY.variable: name}), nobody)
    cloud.dynamodb.delete_table(TableName=name)


async def nobody(_):
    return None


async def test_nobody_may_keep_that_there_is_no_key_yet(bare_app):
    async with stranger(bare_app) as client:
        response = await client.get("/.well-known/jwks.json")

    assert problem_of(response) == (503, "no-signing-key")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["retry-after"] == "60"
