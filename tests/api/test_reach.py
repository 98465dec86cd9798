"""What is out of a caller's reach looks missing on every route of a knowledge base, whatever else is sent (T3)."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from shared.identity.permissions import Role, is_permitted
from shared.kernel.ids import TenantId
from shared.tenancy.models import default_workspace_of
from tests.api.declared import BODIES, ROUTES, path_of
from tests.api.organisations import Person, sign_up
from tests.api.tenants import body_without_request_id, problem_of

OF_A_BASE = {name: route for name, (_, route) in ROUTES.items() if "{kb_id}" in route.path}
OF_VIEWERS = [
    name for name, route in OF_A_BASE.items() if route.permission and is_permitted(Role.VIEWER, route.permission)
]
MISSING = "kb_" + "0" * 26
UNFIT = {"no such field": True}


async def create_base(person, **body):
    response = await person.send("POST", "/knowledge-bases", json={"name": "Base", **body})
    assert response.status_code == 201, response.text
    return response.json()["id"]


async def listed(person, **query):
    return [found["id"] for found in (await person.send("GET", "/knowledge-bases", params=query)).json()["items"]]


@dataclass(frozen=True)
class Company:
    """Two workspaces with a base each, and a maintainer of the first one."""

    owner: Person
    sales: str
    support: str
    base_of_sales: str
    base_of_support: str
    seller: Person


@pytest.fixture
async def company(client, issuer):
    owner = await sign_up(client, issuer)
    sales, support = [
        (await owner.send("POST", "/workspaces", json={"name": name})).json()["id"] for name in ("Sales", "Support")
    ]
    of_sales, of_support = [await create_base(owner, workspace_id=workspace) for workspace in (sales, support)]
    seller = await owner.bring_in(Role.MAINTAINER, workspaces=[sales])
    return Company(owner, sales, support, of_sales, of_support, seller)


async def test_base_that_was_made_before_one_was_limited_is_not_shown_by_asking_again(company, clock):
    maker = await company.owner.bring_in(Role.MAINTAINER)
    again = {"json": {"name": "Plans"}, "headers": {"idempotency-key": "k-1"}}
    made = await maker.send("POST", "/knowledge-bases", **again)
    limits = {"workspaces": [company.sales]}
    await company.owner.send("PUT", f"/members/{maker.user_id}/workspaces", json=limits)
    clock.ahead = timedelta(seconds=31)

    repeated = await maker.send("POST", "/knowledge-bases", **again)

    assert made.status_code == 201
    assert problem_of(repeated) == (404, "knowledge-base-not-found")
    assert await listed(maker) == [company.base_of_sales]


async def both_answers(person, name, base, body):
    """Ask for a base that is out of reach and for one that is not there."""
    method = OF_A_BASE[name].method
    return [
        await person.send(method, path_of(name, kb_id=kb_id), json=body) for kb_id in (base, MISSING)
    ]  # fmt: skip


@pytest.mark.parametrize("fits", [True, False], ids=["body that fits", "body that does not"])
@pytest.mark.parametrize("name", OF_A_BASE)
async def test_base_of_another_workspace_looks_missing(company, name, fits):
    body = (BODIES[name] if fits else UNFIT) if name in BODIES else None

    foreign, unknown = await both_answers(company.seller, name, company.base_of_support, body)

    assert problem_of(foreign) == (404, "knowledge-base-not-found")
    assert body_without_request_id(foreign) == body_without_request_id(unknown)
    shown = (await company.owner.send("GET", f"/knowledge-bases/{company.base_of_support}")).json()
    assert (shown["name"], shown["status"]) == ("Base", "active")


@pytest.mark.parametrize("name", OF_VIEWERS)
async def test_base_that_is_not_shared_with_viewers_looks_missing_to_them(client, issuer, name):
    owner = await sign_up(client, issuer)
    hidden = await create_base(owner, shared_with_viewers=False)
    viewer = await owner.bring_in(Role.VIEWER)

    foreign, unknown = await both_answers(viewer, name, hidden, BODIES.get(name))

    assert problem_of(foreign) == (404, "knowledge-base-not-found")
    assert body_without_request_id(foreign) == body_without_request_id(unknown)


async def test_there_are_routes_of_bases_to_look_at():
    assert len(OF_A_BASE) >= 13
    assert len(OF_VIEWERS) >= 6


async def test_what_is_within_reach_is_served(company):
    path = f"/knowledge-bases/{company.base_of_sales}"

    assert (await company.seller.send("GET", path)).json()["workspace_id"] == company.sales
    assert (await company.seller.send("PATCH", path, json={"name": "Prices"})).status_code == 200


async def test_unfit_id_is_refused_like_for_everybody(company):
    answers = [await person.send("GET", "/knowledge-bases/kb_1") for person in (company.owner, company.seller)]

    assert {problem_of(answer) for answer in answers} == {(422, "invalid-request")}


async def test_lists_show_what_is_within_reach(company):
    hidden = await create_base(company.owner, workspace_id=company.sales, shared_with_viewers=False)
    viewer = await company.owner.bring_in(Role.VIEWER)

    assert await listed(company.owner) == [company.base_of_sales, company.base_of_support, hidden]
    assert await listed(company.seller) == [company.base_of_sales, hidden]
    assert await listed(viewer) == [company.base_of_sales, company.base_of_support]
    assert await listed(company.owner, workspace_id=company.support) == [company.base_of_support]
    assert await listed(company.seller, workspace_id=company.support) == []


async def test_page_token_of_one_workspace_is_not_that_of_another(company):
    await create_base(company.owner, workspace_id=company.sales)
    query = {"limit": 1, "workspace_id": company.sales}
    token = (await company.owner.send("GET", "/knowledge-bases", params=query)).json()["next_page_token"]

    response = await company.owner.send("GET", "/knowledge-bases", params={"page_token": token})

    assert problem_of(response) == (422, "invalid-page-token")


async def test_base_goes_where_it_is_told_or_where_its_maker_is_at_home(company):
    default = default_workspace_of(TenantId(company.owner.tenant))
    by_owner, by_seller = await create_base(company.owner), await create_base(company.seller)

    shown = [
        (await company.owner.send("GET", f"/knowledge-bases/{base}")).json()["workspace_id"]
        for base in (by_owner, by_seller)
    ]

    assert shown == [default, company.sales]


@pytest.mark.parametrize("where", ["support", "nowhere"])
async def test_nobody_puts_a_base_where_they_do_not_reach(company, where):
    workspace = company.support if where == "support" else "ws_" + "0" * 26
    path = f"/knowledge-bases/{company.base_of_sales}"

    created = await company.seller.send("POST", "/knowledge-bases", json={"name": "A", "workspace_id": workspace})
    moved = await company.seller.send("PATCH", path, json={"workspace_id": workspace})

    assert problem_of(created) == problem_of(moved) == (404, "workspace-not-found")
    assert (await company.seller.send("GET", path)).json()["workspace_id"] == company.sales


async def test_moved_base_is_within_reach_elsewhere(company):
    path = f"/knowledge-bases/{company.base_of_sales}"

    moved = await company.owner.send("PATCH", path, json={"workspace_id": company.support})

    assert moved.json()["workspace_id"] == company.support
    assert problem_of(await company.seller.send("GET", path)) == (404, "knowledge-base-not-found")


async def test_base_is_hidden_from_viewers_and_shown_again(company):
    viewer = await company.owner.bring_in(Role.VIEWER)
    path = f"/knowledge-bases/{company.base_of_sales}"

    for shared, status in ((False, 404), (True, 200)):
        await company.owner.send("PATCH", path, json={"shared_with_viewers": shared})
        assert (await viewer.send("GET", path)).status_code == status


async def test_workspace_is_deleted_when_its_last_base_is_gone_or_moved(company):
    await company.owner.send("DELETE", f"/knowledge-bases/{company.base_of_sales}")
    refused = await company.owner.send("DELETE", f"/workspaces/{company.support}")
    deleted = await company.owner.send("DELETE", f"/workspaces/{company.sales}")
    default = default_workspace_of(TenantId(company.owner.tenant))
    await company.owner.send("PATCH", f"/knowledge-bases/{company.base_of_support}", json={"workspace_id": default})
    freed = await company.owner.send("DELETE", f"/workspaces/{company.support}")

    assert problem_of(refused) == (409, "workspace-in-use")
    assert (deleted.status_code, freed.status_code) == (204, 204)


async def test_no_base_gets_into_a_workspace_that_is_deleted_at_the_same_time(client, issuer):
    owner = await sign_up(client, issuer)
    for number in range(3):
        workspace = (await owner.send("POST", "/workspaces", json={"name": f"W{number}"})).json()["id"]

        created, deleted = await asyncio.gather(
            owner.send("POST", "/knowledge-bases", json={"name": "A", "workspace_id": workspace}),
            owner.send("DELETE", f"/workspaces/{workspace}"),
        )

        assert sorted([created.status_code, deleted.status_code]) in ([201, 409], [204, 404])
