"""create_workspace, list_workspaces, update_workspace, delete_workspace."""

import asyncio

import pytest

from shared.identity.permissions import Role
from shared.tenancy.models import default_workspace_of
from tests.api.organisations import sign_up
from tests.api.tenants import problem_of


@pytest.fixture
async def owner(client, issuer):
    return await sign_up(client, issuer)


async def create(person, name="Sales", **parts):
    response = await person.send("POST", "/workspaces", json={"name": name}, **parts)
    assert response.status_code == 201, response.text
    return response.json()["id"]


async def names_of(person):
    return {found["id"]: found["name"] for found in (await person.send("GET", "/workspaces")).json()["items"]}


async def test_workspaces_are_created_renamed_and_deleted(owner):
    sales = await create(owner)
    assert (await owner.send("PATCH", f"/workspaces/{sales}", json={"name": "Support"})).json()["name"] == "Support"
    default = default_workspace_of(owner.tenant)
    assert await names_of(owner) == {default: "main", sales: "Support"}

    assert (await owner.send("DELETE", f"/workspaces/{sales}")).status_code == 204

    assert await names_of(owner) == {default: "main"}
    assert problem_of(await owner.send("DELETE", f"/workspaces/{sales}")) == (404, "workspace-not-found")


async def test_default_workspace_can_be_renamed_and_stays(owner):
    default = default_workspace_of(owner.tenant)

    assert (await owner.send("PATCH", f"/workspaces/{default}", json={"name": "All"})).status_code == 200
    assert problem_of(await owner.send("DELETE", f"/workspaces/{default}")) == (409, "workspace-in-use")


async def test_repetition_with_the_same_key_creates_once(owner):
    headers = {"idempotency-key": "k-1"}

    ids = await asyncio.gather(*(create(owner, headers=headers) for _ in range(3)))

    assert len(set(ids)) == 1
    assert len(await names_of(owner)) == 2


async def test_workspaces_of_others_look_missing(owner, client, issuer):
    stranger = await sign_up(client, issuer)
    foreign = await create(stranger)

    answers = [
        await owner.send("PATCH", f"/workspaces/{foreign}", json={"name": "Mine"}),
        await owner.send("DELETE", f"/workspaces/{foreign}"),
    ]

    assert {problem_of(answer) for answer in answers} == {(404, "workspace-not-found")}
    assert (await names_of(stranger))[foreign] == "Sales"


async def test_whoever_is_limited_sees_and_changes_their_workspaces_only(owner):
    sales, support = await create(owner), await create(owner, "Support")
    member = await owner.bring_in(Role.MAINTAINER, workspaces=[sales])

    assert await names_of(member) == {sales: "Sales"}
    assert (await member.send("PATCH", f"/workspaces/{sales}", json={"name": "Sales 2"})).status_code == 200
    for method, parts in (("PATCH", {"json": {"name": "Mine"}}), ("DELETE", {})):
        refused = await member.send(method, f"/workspaces/{support}", **parts)
        missing = await member.send(method, "/workspaces/ws_" + "0" * 26, **parts)
        assert problem_of(refused) == problem_of(missing) == (404, "workspace-not-found")
    created = await member.send("POST", "/workspaces", json={"name": "New"})
    assert problem_of(created) == (403, "grant-beyond-caller")


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "A", "tenant": "b"}, {"id": "ws_1"}], ids=repr)
async def test_unfit_body_is_refused(owner, body):
    assert problem_of(await owner.send("POST", "/workspaces", json=body)) == (422, "invalid-request")
