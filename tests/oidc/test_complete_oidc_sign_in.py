"""complete_oidc_sign_in at a real provider: who gets in, as whom, and who is kept out."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from shared.adapters.dynamodb.users import DynamoUsers
from shared.identity.permissions import Role
from shared.kernel.clock import SystemClock
from shared.kernel.ids import UserId
from shared.operations.capabilities import IDENTITY
from shared.tenancy.models import InvitationStatus, TenantStatus
from shared.tenancy.ports import Put, Remove
from tests.api.tenants import problem_of
from tests.canaries import WATCH
from tests.oidc.conftest import completion
from tests.oidc.real_provider import SECRET
from tests.records import transactions_of

pytestmark = pytest.mark.real_server


async def test_member_signs_in_through_a_public_client(acme, lasting_provider):
    member = await acme.add_member("ada", Role.REVIEWER)
    provider = await acme.connect(lasting_provider.issuer)

    response = await acme.sign_in(provider, "ada")

    assert response.status_code == 200, response.text
    session = response.json()
    assert (session["tenant"], session["user"], session["role"]) == (acme.id, member, "reviewer")
    me = await acme.client.get("/me", headers={"authorization": f"Bearer {session['access_token']}"})
    assert (me.status_code, me.json()["user"]) == (200, member)
    renewed = await acme.client.post("/sessions/refresh", json={"refresh_token": session["refresh_token"]})
    assert (renewed.status_code, renewed.json()["user"]) == (200, member)


@pytest.mark.parametrize(
    "registered", [{"client_id": "confidential", "client_secret": SECRET}, {"client_id": "elliptic"}], ids=repr
)
async def test_member_signs_in_with_a_client_secret_or_another_algorithm(acme, lasting_provider, registered):
    await acme.add_member("ada", Role.VIEWER)
    provider = await acme.connect(lasting_provider.issuer, **registered)

    response = await acme.sign_in(provider, "ada")

    assert response.status_code == 200, response.text


async def test_wrong_client_secret_is_told_apart(acme, lasting_provider):
    provider = await acme.connect(lasting_provider.issuer, client_id="confidential", client_secret="another")

    response = await acme.sign_in(provider, "ada")

    assert problem_of(response) == (401, "refused-sign-in")
    assert response.json()["facts"] == {"reason": "token: invalid_client"}


async def test_second_sign_in_is_the_same_user_though_nothing_but_the_subject_still_fits(acme, lasting_provider):
    member = await acme.add_member("ada", Role.VIEWER)
    provider = await acme.connect(lasting_provider.issuer)
    await acme.sign_in(provider, "ada")
    stored = await acme.member(member)
    await acme.records.commit(acme.id, [Put(replace(stored, email="renamed@acme.example", role=Role.MAINTAINER))])

    again = await acme.sign_in(provider, "ada")

    assert (again.json()["user"], again.json()["role"]) == (member, "maintainer")


async def test_invited_person_joins_with_the_invitation_s_role_once(acme, lasting_provider):
    invitation = await acme.invite("ada", Role.MAINTAINER)
    provider = await acme.connect(lasting_provider.issuer)

    session = (await acme.sign_in(provider, "ada")).json()

    assert session["role"] == "maintainer"
    member = await acme.member(session["user"])
    assert (member.email, member.display_name) == (f"ada@{acme.domain}", "Ada Lovelace")
    accepted = await acme.records.invitation(acme.id, invitation.invitation_id)
    assert accepted.status(SystemClock().now()) is InvitationStatus.ACCEPTED
    assert accepted.accepted_by == session["user"]


async def test_invited_owner_is_an_owner(acme, lasting_provider):
    await acme.invite("ada", Role.OWNER)
    provider = await acme.connect(lasting_provider.issuer)

    session = (await acme.sign_in(provider, "ada")).json()

    assert session["role"] == "owner"
    assert session["user"] in (await acme.records.tenant(acme.id)).owners


async def test_expired_invitation_lets_nobody_in(acme, lasting_provider):
    invitation = await acme.invite("ada", Role.MAINTAINER)
    past = SystemClock().now() - timedelta(seconds=1)
    await acme.records.commit(acme.id, [Put(replace(invitation, expires_at=past, revision=1))])
    provider = await acme.connect(lasting_provider.issuer)

    response = await acme.sign_in(provider, "ada")

    assert problem_of(response) == (403, "not-a-member")


async def test_default_role_lets_people_of_the_domain_join_by_themselves(acme, lasting_provider):
    provider = await acme.connect(lasting_provider.issuer, default_role="viewer")

    sessions = await asyncio.gather(*(acme.sign_in(provider, "ada") for _ in range(6)))

    assert {response.status_code for response in sessions} == {200}
    assert len({response.json()["user"] for response in sessions}) == 1
    assert sessions[0].json()["role"] == "viewer"


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ("bob", "not-invited"),
        ("eve", "no-verified-email"),
        ("nobody", "no-verified-email"),
        ("mallory", "other-domain"),
    ],
)
async def test_who_is_no_member_is_kept_out_and_the_owner_can_read_of_it(acme, lasting_provider, login, reason):
    await acme.add_member("ada", Role.OWNER)
    provider = await acme.connect(lasting_provider.issuer)

    response = await acme.sign_in(provider, login)

    assert problem_of(response) == (403, "not-a-member")
    assert response.json()["facts"] == {"reason": reason}
    events = (await acme.send("GET", "/security-events")).json()["items"]
    assert (events[0]["kind"], events[0]["facts"]["reason"]) == ("external-sign-in-refused", f"not-a-member: {reason}")


@pytest.mark.parametrize(("login", "reason"), [("eve", "no-verified-email"), ("mallory", "other-domain")])
async def test_default_role_asks_for_a_verified_address_of_the_domain(acme, lasting_provider, login, reason):
    provider = await acme.connect(lasting_provider.issuer, default_role="viewer")

    response = await acme.sign_in(provider, login)

    assert (problem_of(response), response.json()["facts"]) == ((403, "not-a-member"), {"reason": reason})


async def test_removed_member_stays_out_until_invited_again(acme, lasting_provider):
    provider = await acme.connect(lasting_provider.issuer, default_role="viewer")
    user = (await acme.sign_in(provider, "ada")).json()["user"]
    await acme.records.commit(acme.id, [Remove(await acme.member(user))])

    removed = await acme.sign_in(provider, "ada")
    await acme.invite("ada", Role.REVIEWER)
    invited = await acme.sign_in(provider, "ada")

    assert (problem_of(removed), removed.json()["facts"]) == ((403, "not-a-member"), {"reason": "removed"})
    assert (invited.json()["user"], invited.json()["role"]) == (user, "reviewer")


async def test_nobody_gets_into_a_suspended_organisation(acme, lasting_provider):
    await acme.add_member("ada", Role.VIEWER)
    provider = await acme.connect(lasting_provider.issuer)
    tenant = await acme.records.tenant(acme.id)
    await acme.records.commit(acme.id, [Put(replace(tenant, status=TenantStatus.SUSPENDED))])

    response = await acme.sign_in(provider, "ada")

    assert (problem_of(response), response.json()["facts"]) == ((403, "not-a-member"), {"reason": "suspended"})


async def test_address_that_was_given_to_somebody_new_does_not_open_the_old_account(acme, lasting_provider):
    await acme.add_member("ada", Role.OWNER)
    provider = await acme.connect(lasting_provider.issuer, default_role="viewer")
    await acme.sign_in(provider, "ada")

    response = await acme.sign_in(provider, "ada-2")

    assert problem_of(response) == (403, "not-a-member")
    assert response.json()["facts"] == {"reason": "linked-to-another"}


async def test_provider_of_one_tenant_opens_no_account_of_another(acme, globex, cloud, lasting_provider):
    """A tenant that believes its provider everything still gets nothing but a member of its own."""
    victim = await globex.add_member("ada", Role.OWNER)
    provider = await acme.connect(lasting_provider.issuer, default_role="maintainer", email_domains=[globex.domain])
    started = await acme.start(provider["id"])

    session = (await acme.complete(completion(started, globex.browse(started, "ada")))).json()

    assert session["tenant"] == acme.id
    assert session["user"] != victim
    assert await globex.member(session["user"]) is None
    assert await acme.member(victim) is None
    users = DynamoUsers(transactions_of(cloud), cloud.address_of(IDENTITY))
    listed, unlisted = await users.by_email(f"ada@{globex.domain}"), await users.by_id(UserId(session["user"]))
    assert listed is not None
    assert listed.user_id == victim
    assert unlisted is not None
    assert unlisted.password_hash is None


async def test_invitation_joins_no_account_of_another_tenant_either(acme, globex, lasting_provider):
    victim = await globex.add_member("bob", Role.OWNER)
    await acme.invite("bob", Role.VIEWER, domain=globex.domain)
    provider = await acme.connect(lasting_provider.issuer, email_domains=[globex.domain])
    started = await acme.start(provider["id"])

    session = (await acme.complete(completion(started, globex.browse(started, "bob")))).json()

    assert session["user"] != victim
    assert await acme.member(victim) is None


async def test_member_of_two_tenants_gets_a_session_of_the_provider_s_only(acme, globex, lasting_provider):
    user = await acme.add_member("ada", Role.VIEWER)
    now = SystemClock().now()
    stored = await acme.member(user)
    globex.headers()
    elsewhere = replace(stored, tenant=globex.id, role=Role.OWNER, created_at=now, revision=0)
    WATCH.tell(globex.id, stored.email)
    await globex.records.commit(globex.id, [Put(elsewhere)])
    provider = await acme.connect(lasting_provider.issuer)

    session = (await acme.sign_in(provider, "ada")).json()

    assert (session["tenant"], session["user"], session["role"]) == (acme.id, user, "viewer")
    change = await acme.client.post(
        "/account/password",
        headers={"authorization": f"Bearer {session['access_token']}"},
        json={"present_password": "a guess", "new_password": "a long new password that is mine"},
    )
    assert problem_of(change)[1] == "wrong-password"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"state": "x" * 43}, (401, "unknown-sign-in")),
        ({"binding": "x" * 43}, (401, "unknown-sign-in")),
        ({"iss": "https://elsewhere.example"}, (401, "refused-sign-in")),
        ({"iss": None}, (401, "refused-sign-in")),
        ({"redirect_uri": "https://app.acme.example/other"}, (401, "refused-sign-in")),
        ({"code": "made-up"}, (401, "refused-sign-in")),
        ({"state": "short"}, (422, "invalid-request")),
        ({"tenant": "globex"}, (422, "invalid-request")),
        ({"code": ""}, (422, "invalid-request")),
    ],
    ids=repr,
)
async def test_answer_that_does_not_fit_is_refused(acme, lasting_provider, changes, refusal):
    await acme.add_member("ada", Role.VIEWER)
    provider = await acme.connect(lasting_provider.issuer)

    response = await acme.sign_in(provider, "ada", **changes)

    assert problem_of(response) == refusal


async def test_answer_counts_once_and_a_wrong_binding_does_not_use_it_up(acme, lasting_provider):
    await acme.add_member("ada", Role.VIEWER)
    provider = await acme.connect(lasting_provider.issuer)
    started = await acme.start(provider["id"])
    body = completion(started, acme.browse(started, "ada"))

    stolen = await acme.complete({**body, "binding": "x" * 43})
    answers = await asyncio.gather(*(acme.complete(body) for _ in range(5)))

    assert problem_of(stolen) == (401, "unknown-sign-in")
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]
    assert {problem_of(answer) for answer in answers if answer.status_code != 200} == {(401, "unknown-sign-in")}


async def test_code_of_another_sign_in_is_refused_by_its_verifier(acme, lasting_provider):
    """PKCE: whoever gets hold of a code cannot bring it into a sign-in of their own."""
    await acme.add_member("ada", Role.VIEWER)
    provider = await acme.connect(lasting_provider.issuer)
    victim = await acme.start(provider["id"])
    code = acme.browse(victim, "ada").params["code"]
    own = await acme.start(provider["id"])
    returned = acme.browse(own, "bob")

    response = await acme.complete(completion(own, returned, code=code))

    assert problem_of(response) == (401, "refused-sign-in")
    assert response.json()["facts"] == {"reason": "token: invalid_grant"}


async def test_sign_in_that_took_too_long_has_ended(acme, cloud, lasting_provider):
    await acme.add_member("ada", Role.VIEWER)
    provider = await acme.connect(lasting_provider.issuer)
    started = await acme.start(provider["id"])
    returned = acme.browse(started, "ada")
    _expire(cloud, started["state"])

    response = await acme.complete(completion(started, returned))

    assert problem_of(response) == (401, "unknown-sign-in")


async def test_sign_in_through_a_deleted_provider_ends_there(acme, lasting_provider):
    await acme.add_member("ada", Role.VIEWER)
    provider = await acme.connect(lasting_provider.issuer)
    started = await acme.start(provider["id"])
    returned = acme.browse(started, "ada")
    await acme.send("DELETE", f"/identity-providers/{provider['id']}")

    response = await acme.complete(completion(started, returned))

    assert problem_of(response) == (401, "unknown-sign-in")


def _expire(cloud, state):
    boto3.client("dynamodb").update_item(
        TableName=cloud.address_of(IDENTITY),
        Key={"pk": {"S": f"oidc#{hashlib.sha256(state.encode()).hexdigest()}"}, "sk": {"S": "sign-in"}},
        UpdateExpression="SET expires_at = :past",
        ExpressionAttributeValues={":past": {"N": str(int(SystemClock().now().timestamp()) - 1)}},
    )
