"""sign_in."""

import asyncio
import json

import jwt
import pytest

from shared.identity.permissions import Role
from shared.operations.capabilities import IDENTITY
from tests.api.people import PASSWORD, stranger
from tests.api.tenants import body_without_request_id, problem_of


async def test_right_password_begins_a_session(ada, acme):
    ada.joins(acme.id, Role.REVIEWER)

    tokens = await ada.session()

    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert (tokens["tenant"], tokens["user"], tokens["role"]) == (acme.id, ada.user_id, "reviewer")
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["tenant"], claims["role"]) == (ada.user_id, acme.id, "reviewer")
    assert claims["sid"].startswith("ses_")
    assert (await ada.send("GET", "/knowledge-bases", tokens["access_token"])).status_code == 200


async def test_address_is_the_same_however_it_is_written(ada, acme):
    ada.joins(acme.id)

    assert (await ada.called(f"  {ada.email.upper()} ").sign_in()).status_code == 200


async def test_wrong_password_and_unknown_address_are_answered_alike(ada, acme):
    ada.joins(acme.id)

    wrong = await ada.sign_in(password="a wrong one")
    unknown = await ada.called("nobody@people.example").sign_in()

    assert problem_of(wrong) == problem_of(unknown) == (401, "wrong-credentials")
    assert body_without_request_id(wrong) == body_without_request_id(unknown)


async def test_somebody_without_a_password_is_answered_like_nobody(ada, acme, cloud):
    ada.joins(acme.id)
    cloud.dynamodb.update_item(
        TableName=cloud.address_of(IDENTITY),
        Key={"pk": {"S": f"user#{ada.user_id}"}, "sk": {"S": "user"}},
        UpdateExpression="SET #record.password_hash = :none",
        ExpressionAttributeNames={"#record": "record"},
        ExpressionAttributeValues={":none": {"NULL": True}},
    )

    assert problem_of(await ada.sign_in()) == (401, "wrong-credentials")


@pytest.mark.parametrize("known", [True, False])
async def test_five_wrong_passwords_lock_an_address_whether_anybody_has_it_or_not(ada, acme, known):
    ada.joins(acme.id, Role.OWNER)
    somebody = ada if known else ada.called(f"not-{ada.email}")
    for _ in range(5):
        assert problem_of(await somebody.sign_in(password="a wrong one")) == (401, "wrong-credentials")

    locked = await somebody.sign_in()

    assert problem_of(locked) == (429, "sign-in-locked")
    assert 50 <= int(locked.headers["retry-after"]) <= 60


async def test_guesses_at_once_get_no_more_than_guesses_in_a_row(ada, acme):
    ada.joins(acme.id)

    answers = await asyncio.gather(*(ada.sign_in(password=f"wrong {number}") for number in range(20)))

    codes = [problem_of(answer) for answer in answers]
    assert codes.count((401, "wrong-credentials")) == 5
    assert codes.count((429, "sign-in-locked")) == 15


async def test_right_password_clears_the_count(ada, acme):
    ada.joins(acme.id)
    for _ in range(2):
        for _ in range(4):
            assert (await ada.sign_in(password="a wrong one")).status_code == 401

        assert (await ada.sign_in()).status_code == 200


async def test_member_of_several_organisations_chooses_one(ada, acme, globex):
    ada.joins(acme.id).joins(globex.id, Role.OWNER)

    undecided = await ada.sign_in()
    decided = await ada.session(tenant=globex.id)

    assert problem_of(undecided) == (409, "choose-tenant")
    assert undecided.json()["facts"] == {"tenants": ",".join(sorted([acme.id, globex.id]))}
    assert (decided["tenant"], decided["role"]) == (globex.id, "owner")


async def test_organisations_are_told_only_to_who_knows_the_password(ada, acme, globex):
    ada.joins(acme.id).joins(globex.id)

    assert problem_of(await ada.sign_in(password="a wrong one")) == (401, "wrong-credentials")


async def test_there_is_no_session_in_an_organisation_of_others(ada, acme, globex):
    ada.joins(acme.id)
    globex.headers()

    elsewhere, nowhere = await ada.sign_in(tenant=globex.id), await ada.sign_in(tenant="no-such-organisation")

    assert problem_of(elsewhere) == problem_of(nowhere) == (403, "not-a-member")
    assert body_without_request_id(elsewhere) == body_without_request_id(nowhere)


async def test_somebody_without_an_organisation_gets_no_session(ada):
    assert problem_of(await ada.sign_in()) == (403, "not-a-member")


async def test_weak_hash_is_replaced_when_the_password_is_at_hand(ada, acme, cloud):
    ada.joins(acme.id)

    before = _hash_of(ada, cloud)
    tokens = await ada.session()

    assert "m=64," in before
    assert "$argon2id$v=19$m=65536,t=3,p=1$" in _hash_of(ada, cloud)
    assert (await ada.refresh(tokens["refresh_token"])).status_code == 200
    assert (await ada.sign_in()).status_code == 200


def _hash_of(person, cloud):
    key = {"pk": {"S": f"user#{person.user_id}"}, "sk": {"S": "user"}}
    item = cloud.dynamodb.get_item(TableName=cloud.address_of(IDENTITY), Key=key)["Item"]
    return item["record"]["M"]["password_hash"]["S"]


async def test_nothing_that_is_stored_is_a_secret_that_was_given_out(ada, acme, cloud):
    ada.joins(acme.id)
    first = await ada.session()
    second = (await ada.refresh(first["refresh_token"])).json()

    stored = json.dumps(cloud.dynamodb.scan(TableName=cloud.address_of(IDENTITY))["Items"])

    for given in (first, second):
        proof_and_secret = given["refresh_token"].rpartition(".")[2]
        assert proof_and_secret[:22] not in stored
        assert proof_and_secret[22:] not in stored
        assert given["access_token"] not in stored
    assert PASSWORD not in stored


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "ada@people.example"},
        {"email": "ada", "password": "x"},
        {"email": "ada@people.example", "password": ""},
        {"email": "ada@people.example", "password": "x" * 513},
        {"email": "ada@people.example", "password": 5},
        {"email": "ada@people.example", "password": "\ud800 half a character"},
        {"email": "äda@people.example", "password": "x"},
        {"email": "ada#1@people.example", "password": "x"},
        {"email": "a" * 65 + "@people.example", "password": "x"},
        {"email": "ada@people.example", "password": "x", "tenant": "t#acme"},
        {"email": "ada@people.example", "password": "x", "tenant": ""},
        {"email": "ada@people.example", "password": "x", "role": "owner"},
        [],
    ],
    ids=repr,
)
async def test_unfit_body_is_refused_and_not_repeated(app, body):
    async with stranger(app) as client:
        response = await client.post(
            "/sessions", content=json.dumps(body), headers={"content-type": "application/json"}
        )

    assert response.status_code in {400, 422}, response.text
    assert "half a character" not in response.text
