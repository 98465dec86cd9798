"""invite_member, list_invitations, revoke_invitation, accept_invitation: one token, one member."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.identity.permissions import Role
from shared.kernel.clock import SystemClock
from shared.operations.capabilities import IDENTITY
from shared.tenancy.models import TenantStatus
from shared.tenancy.ports import Put
from tests.api.organisations import PASSWORD, new_email, sign_up
from tests.api.tenants import body_without_request_id, problem_of
from tests.records import transactions_of

OTHER_PASSWORD = "nine red kites over hills"


@pytest.fixture
async def owner(client, issuer):
    return await sign_up(client, issuer)


@pytest.fixture
def records(cloud):
    return DynamoTenancy(transactions_of(cloud), cloud.address_of(IDENTITY))


@pytest.mark.parametrize("role", [Role.OWNER, Role.MAINTAINER, Role.REVIEWER, Role.VIEWER])
async def test_whoever_accepts_is_a_member_in_that_role(owner, role):
    member = await owner.bring_in(role)

    assert (await owner.members())[member.user_id] == role
    assert (await member.send("GET", "/tenant")).json()["id"] == owner.tenant


async def test_token_is_shown_once_and_expires_in_a_week(owner):
    issued = await owner.invite(Role.REVIEWER)

    (listed,) = (await owner.send("GET", "/invitations")).json()["items"]

    assert listed == issued["invitation"]
    assert issued["token"] not in (await owner.send("GET", "/invitations")).text
    assert (listed["status"], listed["role"]) == ("pending", "reviewer")
    assert listed["expires_at"][:10] == (SystemClock().now() + timedelta(days=7)).date().isoformat()


async def test_name_is_that_of_the_address_until_somebody_says_another(owner):
    issued = await owner.invite(email=new_email("grace"))

    await owner.accept(issued["token"])

    names = [member["display_name"] for member in (await owner.send("GET", "/members")).json()["items"]]
    assert any(name.startswith("grace-") for name in names)


async def test_every_token_that_is_not_good_gets_the_same_answer(owner, records):
    used, revoked, expired = [await owner.invite() for _ in range(3)]
    await owner.accept(used["token"])
    await owner.send("DELETE", f"/invitations/{revoked['invitation']['id']}")
    stored = await records.invitation(owner.tenant, expired["invitation"]["id"])
    await records.commit(owner.tenant, [Put(replace(stored, expires_at=SystemClock().now()))])
    good = (await owner.invite())["token"]
    tokens = [
        used["token"],
        revoked["token"],
        expired["token"],
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good.replace(owner.tenant, "tn-" + "0" * 26),
        "tin_",
        "nonsense",
    ]

    answers = [await owner.accept(token) for token in tokens]

    assert {problem_of(answer) for answer in answers} == {(422, "invalid-invitation")}
    assert len({str(body_without_request_id(answer)) for answer in answers}) == 1
    assert len(await owner.members()) == 2


async def test_of_two_acceptances_at_once_one_makes_a_member(owner):
    issued = await owner.invite()

    answers = await asyncio.gather(*(owner.accept(issued["token"]) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]
    assert len(await owner.members()) == 2


async def test_repeated_acceptance_with_the_same_key_is_answered_again(owner):
    issued = await owner.invite()

    answers = [await owner.accept_with_key(issued["token"], "k-1") for _ in range(2)]
    other = await owner.accept_with_key(issued["token"], "k-2")

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert problem_of(other) == (422, "invalid-invitation")


async def test_account_of_that_address_joins_with_its_own_password(client, issuer, owner):
    other = await sign_up(client, issuer)
    issued = await owner.invite(Role.REVIEWER, email=other.email)

    wrong = await owner.accept(issued["token"], password=OTHER_PASSWORD)
    right = await owner.accept(issued["token"], password=PASSWORD)

    assert problem_of(wrong) == (401, "account-has-other-password")
    assert right.status_code == 201
    assert right.json()["user_id"] == other.user_id
    assert (await owner.members())[other.user_id] == "reviewer"
    assert await other.members() == {other.user_id: "owner"}


async def test_inviting_somebody_gives_nobody_more_guesses_at_their_password(client, issuer, owner):
    victim = await sign_up(client, issuer)
    tokens = [(await owner.invite(email=victim.email))["token"] for _ in range(2)]

    guesses = [await owner.accept(tokens[number % 2], password=OTHER_PASSWORD) for number in range(6)]

    assert problem_of(guesses[-1]) == (429, "sign-in-locked")
    assert problem_of(await owner.accept(tokens[0], password=PASSWORD)) == (429, "sign-in-locked")


async def test_weak_password_uses_nothing_up(owner):
    issued = await owner.invite()

    assert problem_of(await owner.accept(issued["token"], password="short")) == (422, "weak-password")
    assert (await owner.accept(issued["token"])).status_code == 201


async def test_member_is_not_invited_again(owner):
    member = await owner.bring_in()
    body = {"email": member.email.upper(), "role": "viewer"}

    assert problem_of(await owner.send("POST", "/invitations", json=body)) == (409, "already-member")


async def test_second_invitation_of_somebody_who_joined_meanwhile_is_worth_nothing(owner):
    email = new_email()
    first, second = await owner.invite(email=email), await owner.invite(Role.OWNER, email=email)
    await owner.accept(first["token"])

    assert problem_of(await owner.accept(second["token"])) == (409, "already-member")


async def test_accepted_invitation_cannot_be_revoked_and_a_revoked_one_can_again(owner):
    used, revoked = await owner.invite(), await owner.invite()
    await owner.accept(used["token"])
    paths = [f"/invitations/{issued['invitation']['id']}" for issued in (used, revoked, revoked)]

    answers = [await owner.send("DELETE", path) for path in paths]

    assert problem_of(answers[0]) == (409, "invitation-closed")
    assert [answer.status_code for answer in answers[1:]] == [204, 204]
    unknown = await owner.send("DELETE", "/invitations/inv_" + "0" * 26)
    assert problem_of(unknown) == (404, "invitation-not-found")


async def test_list_can_be_narrowed_to_one_status(owner):
    used, pending = await owner.invite(), await owner.invite()
    await owner.accept(used["token"])

    listed = (await owner.send("GET", "/invitations", params={"status": "pending"})).json()["items"]

    assert [item["id"] for item in listed] == [pending["invitation"]["id"]]


async def test_repeated_request_gets_another_token_and_both_are_good(owner):
    body, headers = {"email": new_email(), "role": "viewer"}, {"idempotency-key": "k-1"}

    first, second = [
        (await owner.send("POST", "/invitations", json=body, headers=headers)).json() for _ in range(2)
    ]  # fmt: skip

    assert first["invitation"] == second["invitation"]
    assert first["token"] != second["token"]
    assert (await owner.accept(first["token"])).status_code == 201
    assert problem_of(await owner.accept(second["token"])) == (422, "invalid-invitation")


@pytest.mark.parametrize(
    "body",
    [
        {"role": "operator"},
        {"role": "nobody"},
        {"role": None},
        {"email": "nobody"},
        {"workspaces": []},
        {"workspaces": ["main"]},
        {"tenant": "operators"},
        {"expires_at": "2030-01-01T00:00:00Z"},
    ],
    ids=repr,
)
async def test_unfit_invitation_is_refused(owner, body):
    response = await owner.send("POST", "/invitations", json={"email": new_email(), "role": "viewer", **body})

    assert problem_of(response) == (422, "invalid-request")


async def test_workspaces_of_an_invitation_are_there_and_no_owner_is_limited(owner):
    (workspace,) = (await owner.send("GET", "/workspaces")).json()["items"]
    unknown = {"email": new_email(), "role": "viewer", "workspaces": ["ws_" + "0" * 26]}
    limited = {"email": new_email(), "role": "owner", "workspaces": [workspace["id"]]}

    assert problem_of(await owner.send("POST", "/invitations", json=unknown)) == (404, "workspace-not-found")
    assert problem_of(await owner.send("POST", "/invitations", json=limited)) == (422, "owner-limited")
    member = await owner.bring_in(workspaces=[workspace["id"]])
    (listed,) = [
        found
        for found in (await owner.send("GET", "/members")).json()["items"]
        if found["user_id"] == member.user_id
    ]  # fmt: skip
    assert listed["workspaces"] == [workspace["id"]]


async def test_invitation_into_a_suspended_organisation_waits(owner, records):
    issued = await owner.invite()
    tenant = await records.tenant(owner.tenant)
    await records.commit(owner.tenant, [Put(replace(tenant, status=TenantStatus.SUSPENDED))])

    assert problem_of(await owner.accept(issued["token"])) == (422, "invalid-invitation")
