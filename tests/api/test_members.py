"""list_members, change_member_role, change_member_workspaces, remove_member, transfer_ownership, leave_tenant."""

import asyncio

import pytest

from shared.adapters.dynamodb.memberships import DynamoMemberships
from shared.adapters.dynamodb.security_events import DynamoSecurityEvents
from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.identity.permissions import Role
from shared.operations.capabilities import IDENTITY
from tests.api.organisations import new_email, sign_up
from tests.api.tenants import problem_of
from tests.records import transactions_of


@pytest.fixture
async def owner(client, issuer):
    return await sign_up(client, issuer)


@pytest.fixture
def records(cloud):
    return DynamoTenancy(transactions_of(cloud), cloud.address_of(IDENTITY))


@pytest.fixture
def events(cloud):
    return DynamoSecurityEvents(cloud.dynamodb, cloud.address_of(IDENTITY))


async def owners_on_record(records, tenant):
    """Return the owners by the tenant's record, which must be those by the members' records."""
    found, members = await records.tenant(tenant), await records.members(tenant, 100)
    assert found.owners == {member.user_id for member in members if member.role is Role.OWNER}
    return found.owners


async def test_pages_of_members_follow_each_other(owner):
    people = {owner.user_id} | {(await owner.bring_in()).user_id for _ in range(2)}

    first = (await owner.send("GET", "/members", params={"limit": 2})).json()
    second = (await owner.send("GET", "/members", params={"page_token": first["next_page_token"]})).json()

    assert {member["user_id"] for member in first["items"] + second["items"]} == people
    assert "next_page_token" not in second


async def test_new_role_holds_and_the_old_one_no_more(owner, events):
    member = await owner.bring_in(Role.VIEWER)

    response = await owner.send("PUT", f"/members/{member.user_id}/role", json={"role": "maintainer"})

    assert response.json()["role"] == "maintainer"
    (event,) = await events.newest(owner.tenant, 10)
    assert (event.kind, event.user, event.by) == ("role-changed", member.user_id, owner.user_id)
    assert event.facts == {"before": "viewer", "after": "maintainer"}


@pytest.mark.parametrize("role", ["operator", "admin", "", None, 1])
async def test_role_that_no_member_has_is_refused(owner, role):
    member = await owner.bring_in()

    response = await owner.send("PUT", f"/members/{member.user_id}/role", json={"role": role})

    assert problem_of(response) == (422, "invalid-request")


async def test_last_owner_stays_whatever_they_try(owner, records):
    member = await owner.bring_in(Role.MAINTAINER)
    tries = [
        ("PUT", f"/members/{owner.user_id}/role", {"json": {"role": "viewer"}}),
        ("DELETE", f"/members/{owner.user_id}", {}),
        ("DELETE", "/membership", {}),
    ]

    for method, path, parts in tries:
        assert problem_of(await owner.send(method, path, **parts)) == (409, "last-owner")

    assert await owners_on_record(records, owner.tenant) == {owner.user_id}
    assert member.user_id in await owner.members()


async def test_of_two_owners_who_remove_each_other_at_once_one_stays(owner, records):
    other = await owner.bring_in(Role.OWNER)

    answers = await asyncio.gather(
        owner.send("DELETE", f"/members/{other.user_id}"), other.send("DELETE", f"/members/{owner.user_id}")
    )

    assert sorted(answer.status_code for answer in answers) == [204, 403]
    assert len(await owners_on_record(records, owner.tenant)) == 1


async def test_of_three_owners_who_all_leave_at_once_one_stays(owner, records):
    others = [await owner.bring_in(Role.OWNER) for _ in range(2)]

    answers = await asyncio.gather(*(person.send("DELETE", "/membership") for person in (owner, *others)))

    assert sorted(answer.status_code for answer in answers) == [204, 204, 409]
    assert len(await owners_on_record(records, owner.tenant)) == 1


async def test_ownership_goes_to_another_member_and_the_giver_stays_as_maintainer(owner, records, events):
    member = await owner.bring_in(Role.VIEWER)

    response = await owner.send("POST", "/ownership-transfers", json={"user_id": member.user_id})

    assert response.status_code == 200
    assert response.json()["owner"]["user_id"] == member.user_id
    assert await owners_on_record(records, owner.tenant) == {member.user_id}
    assert (await records.member(owner.tenant, owner.user_id)).role is Role.MAINTAINER
    (event, *_) = await events.newest(owner.tenant, 10)
    assert (event.kind, event.user, event.by) == ("ownership-transferred", member.user_id, owner.user_id)


async def test_of_two_transfers_at_once_one_happens(owner, records):
    members = [await owner.bring_in() for _ in range(2)]

    answers = await asyncio.gather(
        *(owner.send("POST", "/ownership-transfers", json={"user_id": member.user_id}) for member in members)
    )

    assert sorted(answer.status_code for answer in answers) == [200, 403]
    assert len(await owners_on_record(records, owner.tenant)) == 1


async def test_ownership_does_not_go_to_nobody(owner):
    response = await owner.send("POST", "/ownership-transfers", json={"user_id": "usr_nobody"})

    assert problem_of(response) == (404, "member-not-found")


async def test_removed_member_is_nobody_to_sign_in(owner, cloud, clock):
    member = await owner.bring_in(Role.REVIEWER)
    memberships = DynamoMemberships(transactions_of(cloud), cloud.address_of(IDENTITY))
    assert await memberships.tenants_of(member.user_id) == [owner.tenant]

    response = await owner.send("DELETE", f"/members/{member.user_id}")

    assert response.status_code == 204
    assert await memberships.tenants_of(member.user_id) == []
    assert problem_of(await member.send("GET", "/tenant")) == (401, "unauthenticated")
    again = await owner.send("DELETE", f"/members/{member.user_id}")
    assert problem_of(again) == (404, "member-not-found")


async def test_whoever_is_removed_does_not_come_back_by_another_invitation(owner):
    email = new_email()
    first, second = await owner.invite(email=email), await owner.invite(Role.OWNER, email=email)
    member = (await owner.accept(first["token"])).json()["user_id"]

    await owner.send("DELETE", f"/members/{member}")

    assert problem_of(await owner.accept(second["token"])) == (422, "invalid-invitation")


async def test_whoever_left_can_be_invited_again(owner):
    member = await owner.bring_in(Role.VIEWER)
    assert (await member.send("DELETE", "/membership")).status_code == 204

    issued = await owner.invite(Role.REVIEWER, email=member.email)

    assert (await owner.accept(issued["token"])).json()["user_id"] == member.user_id


async def test_members_of_others_look_missing(owner, client, issuer):
    stranger = await sign_up(client, issuer)
    path = f"/members/{stranger.user_id}"

    answers = [
        await owner.send("DELETE", path),
        await owner.send("PUT", f"{path}/role", json={"role": "viewer"}),
        await owner.send("PUT", f"{path}/workspaces", json={"workspaces": None}),
    ]

    assert {problem_of(answer) for answer in answers} == {(404, "member-not-found")}
    assert await stranger.members() == {stranger.user_id: "owner"}


async def test_member_is_limited_to_workspaces_and_as_an_owner_no_more(owner, records):
    member = await owner.bring_in(Role.MAINTAINER)
    (workspace,) = (await owner.send("GET", "/workspaces")).json()["items"]
    path = f"/members/{member.user_id}"

    limited = await owner.send("PUT", f"{path}/workspaces", json={"workspaces": [workspace["id"]]})
    promoted = await owner.send("PUT", f"{path}/role", json={"role": "owner"})
    refused = await owner.send("PUT", f"{path}/workspaces", json={"workspaces": [workspace["id"]]})

    assert limited.json()["workspaces"] == [workspace["id"]]
    assert "workspaces" not in promoted.json()
    assert problem_of(refused) == (422, "owner-limited")
    assert await owners_on_record(records, owner.tenant) == {owner.user_id, member.user_id}


async def test_member_is_not_limited_to_a_workspace_that_is_not_there(owner):
    member = await owner.bring_in()
    body = {"workspaces": ["ws_" + "0" * 26]}

    response = await owner.send("PUT", f"/members/{member.user_id}/workspaces", json=body)

    assert problem_of(response) == (404, "workspace-not-found")


@pytest.mark.parametrize("role", [Role.MAINTAINER, Role.REVIEWER, Role.VIEWER])
async def test_only_owners_change_who_belongs(owner, role):
    member = await owner.bring_in(role)

    answers = [
        await member.send("PUT", f"/members/{member.user_id}/role", json={"role": "owner"}),
        await member.send("POST", "/invitations", json={"email": "a@people.example", "role": "owner"}),
        await member.send("POST", "/ownership-transfers", json={"user_id": member.user_id}),
        await member.send("DELETE", f"/members/{owner.user_id}"),
        await member.send("GET", "/invitations"),
    ]

    assert {problem_of(answer) for answer in answers} == {(403, "forbidden")}
