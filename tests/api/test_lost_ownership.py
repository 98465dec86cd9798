"""Whoever was an owner a moment ago: credentials are remembered for a while, the right to give places is not (T3)."""

from typing import Any

import pytest

from shared.identity.permissions import Role
from tests.api.organisations import new_email, sign_up
from tests.api.tenants import problem_of

GONE = (403, "grant-beyond-caller")


@pytest.fixture
async def owner(client, issuer):
    return await sign_up(client, issuer)


@pytest.fixture
async def former(owner):
    """An owner whom everybody's memory still knows as one, and who was made a viewer just now."""
    former = await owner.bring_in(Role.OWNER)
    assert (await former.send("GET", "/members")).status_code == 200
    assert (await owner.send("PUT", f"/members/{former.user_id}/role", json={"role": "viewer"})).status_code == 200
    assert (await former.send("GET", "/members")).status_code == 200
    return former


async def test_former_owner_does_not_become_one_again_by_remembered_credentials(owner, former):
    answer = await former.send("PUT", f"/members/{former.user_id}/role", json={"role": "owner"})

    assert problem_of(answer) == GONE
    assert (await owner.members())[former.user_id] == "viewer"


async def test_former_owner_invites_nobody(owner, former):
    body = {"email": new_email(), "role": "owner"}

    assert problem_of(await former.send("POST", "/invitations", json=body)) == GONE
    assert len((await owner.send("GET", "/invitations", params={"status": "pending"})).json().get("items")) == 0


async def test_former_owner_changes_nobody(owner, former):
    member = await owner.bring_in(Role.MAINTAINER)
    tries: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", f"/members/{member.user_id}/role", {"json": {"role": "owner"}}),
        ("PUT", f"/members/{member.user_id}/workspaces", {"json": {"workspaces": None}}),
        ("DELETE", f"/members/{member.user_id}", {}),
        ("DELETE", f"/members/{owner.user_id}", {}),
        ("POST", "/ownership-transfers", {"json": {"user_id": member.user_id}}),
    ]

    for method, path, parts in tries:
        assert problem_of(await former.send(method, path, **parts)) == GONE

    assert await owner.members() == {owner.user_id: "owner", former.user_id: "viewer", member.user_id: "maintainer"}


async def test_former_owner_decides_not_who_is_believed(former):
    body = {
        "name": "Mine",
        "issuer": "https://mine.example",
        "client_id": "mine",
        "redirect_uris": ["https://mine.example/{provider_id}"],
        "email_domains": ["people.example"],
    }

    assert problem_of(await former.send("POST", "/identity-providers", json=body)) == GONE
    assert problem_of(await former.send("DELETE", "/identity-providers/idp_" + "0" * 26)) == GONE


@pytest.mark.parametrize("how", ["removed", "made a viewer"])
async def test_invitations_of_an_owner_end_with_the_ownership(owner, how):
    former = await owner.bring_in(Role.OWNER)
    back_door = await former.invite(Role.OWNER)
    path = f"/members/{former.user_id}"
    if how == "removed":
        assert (await owner.send("DELETE", path)).status_code == 204
    else:
        assert (await owner.send("PUT", f"{path}/role", json={"role": "viewer"})).status_code == 200

    assert problem_of(await owner.accept(back_door["token"])) == (422, "invalid-invitation")
    assert back_door["invitation"]["email"] not in (await owner.send("GET", "/members")).text


async def test_invitations_of_an_owner_who_stays_are_good_whoever_else_goes(owner):
    issued = await owner.invite(Role.MAINTAINER)
    other = await owner.bring_in(Role.OWNER)
    await other.send("DELETE", "/membership")

    assert (await owner.accept(issued["token"])).status_code == 201
