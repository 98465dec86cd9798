"""Those who run the deployment: appoint_operator, dismiss_operator, create_tenant, list_tenants, set_plan,
override_figure, remove_override, suspend_tenant, resume_tenant."""

import asyncio
from datetime import timedelta

import pytest

from shared.composition.entry import build_handler
from shared.identity.permissions import Role
from shared.kernel.clock import SystemClock
from shared.kernel.pages import page_token
from shared.operations.registry import load_operation
from shared.tenancy.errors import AlreadyMemberError, MemberNotFoundError
from shared.tenancy.models import OPERATORS
from tests.api.organisations import PASSWORD, Person, new_email, sign_up
from tests.api.tenants import problem_of


def in_days(days):
    return (SystemClock().now() + timedelta(days=days)).isoformat()


@pytest.fixture
def command(cloud):
    """Invoke a function by name, as administrators of the account do."""

    async def invoked(name, **payload):
        handler = build_handler(load_operation("tenancy", name), cloud.settings)
        # A Lambda has no event loop of its own while its handler is called.
        return await asyncio.to_thread(handler, payload, None)

    return invoked


@pytest.fixture
def appointed(command, client, issuer):
    async def appoint():
        email = new_email("op")
        issued = await command("appoint_operator", email=email)
        response = await client.post("/invitation-acceptances", json={"token": issued["token"], "password": PASSWORD})
        assert response.status_code == 201, response.text
        return Person(OPERATORS, response.json()["user_id"], Role.OPERATOR, email, client, issuer)

    return appoint


@pytest.fixture
async def operator(appointed):
    return await appointed()


@pytest.fixture
async def owner(client, issuer):
    return await sign_up(client, issuer)


async def test_account_appoints_and_dismisses_operators(command, appointed, clock):
    operator, other = await appointed(), await appointed()
    pending = await command("appoint_operator", email=new_email())
    assert (await operator.send("GET", "/tenants")).status_code == 200

    await command("dismiss_operator", email=operator.email)
    clock.ahead = timedelta(seconds=31)

    assert problem_of(await operator.send("GET", "/tenants")) == (401, "unauthenticated")
    assert (await other.send("GET", "/tenants")).status_code == 200
    with pytest.raises(MemberNotFoundError):
        await command("dismiss_operator", email=pending["invitation"]["email"])
    assert problem_of(await other.accept(pending["token"])) == (422, "invalid-invitation")
    with pytest.raises(AlreadyMemberError):
        await command("appoint_operator", email=other.email)


async def test_operator_sees_no_data_of_anybody(operator):
    for path in ("/knowledge-bases", "/members", "/workspaces", "/tenant"):
        assert problem_of(await operator.send("GET", path)) == (403, "forbidden")


async def test_organisation_of_an_operator_begins_with_the_owner_who_accepts(operator, client, issuer):
    email = new_email("owner")
    body = {"organisation_name": "Initech", "owner_email": email, "plan": "professional"}

    created = (await operator.send("POST", "/tenants", json=body)).json()

    assert (created["tenant"]["plan"], created["tenant"]["figures"]["knowledge_bases"]) == ("professional", 100)
    accepted = await operator.accept(created["owner"]["token"])
    owner = Person(created["tenant"]["id"], accepted.json()["user_id"], Role.OWNER, email, client, issuer)
    assert await owner.members() == {owner.user_id: "owner"}
    assert problem_of(await owner.send("DELETE", "/membership")) == (409, "last-owner")


async def test_repeated_creation_gives_the_same_organisation_and_a_good_token(operator):
    body = {"organisation_name": "Initech", "owner_email": new_email()}

    first, second = [
        (await operator.send("POST", "/tenants", json=body, headers={"idempotency-key": "k-1"})).json()
        for _ in range(2)
    ]  # fmt: skip

    assert first["tenant"] == second["tenant"]
    assert (await operator.accept(second["owner"]["token"])).status_code == 201


async def test_all_organisations_are_listed_page_by_page_but_the_operators_own(operator, client, issuer):
    people = [await sign_up(client, issuer) for _ in range(3)]

    seen: list[str] = []
    token = None
    while not seen or token is not None:
        # Small pages first, large ones for all that other tests have left.
        query = {"limit": 2 if len(seen) < 4 else 100, **({"page_token": token} if token else {})}
        page = (await operator.send("GET", "/tenants", params=query)).json()
        seen += [tenant["id"] for tenant in page["items"]]
        token = page.get("next_page_token")

    assert len(seen) == len(set(seen))
    assert [tenant for tenant in seen if tenant in {person.tenant for person in people}] == [
        person.tenant for person in people
    ]
    assert OPERATORS not in seen


async def test_plan_and_overrides_make_the_figures(operator, owner):
    path = f"/tenants/{owner.tenant}"

    planned = await operator.send("PUT", f"{path}/plan", json={"plan": "enterprise"})
    overridden = await operator.send(
        "PUT", f"{path}/overrides/knowledge_bases", json={"value": 7, "expires_at": in_days(1)}
    )

    assert planned.json()["figures"]["knowledge_bases"] == 1000
    shown = (await owner.send("GET", "/tenant")).json()
    assert shown == overridden.json()
    assert (shown["plan"], shown["figures"]["knowledge_bases"]) == ("enterprise", 7)
    assert shown["figures"]["storage_bytes"] == 1000 * 1024**3
    removed = await operator.send("DELETE", f"{path}/overrides/knowledge_bases")
    assert removed.json()["figures"]["knowledge_bases"] == 1000
    again = await operator.send("DELETE", f"{path}/overrides/knowledge_bases")
    assert problem_of(again) == (404, "override-not-found")


@pytest.mark.parametrize(
    ("figure", "body", "refusal"),
    [
        ("luck", {"value": 1}, (404, "unknown-figure")),
        ("knowledge_bases", {"value": 0}, (422, "invalid-request")),
        ("knowledge_bases", {"value": 10**16}, (422, "invalid-request")),
        ("knowledge_bases", {"value": "many"}, (422, "invalid-request")),
        ("knowledge_bases", {"value": 1, "expires_at": "2020-01-01T00:00:00Z"}, (422, "invalid-override")),
        ("knowledge_bases", {"value": 1, "expires_at": "2030-01-01T00:00:00"}, (422, "invalid-request")),
        ("knowledge_bases", {"value": 1, "expires_at": None}, (422, "invalid-request")),
    ],
)
async def test_unfit_override_is_refused(operator, owner, figure, body, refusal):
    body = {"expires_at": in_days(1), **body}

    response = await operator.send("PUT", f"/tenants/{owner.tenant}/overrides/{figure}", json=body)

    assert problem_of(response) == refusal


async def test_unknown_plan_is_none_that_can_be_set(operator, owner):
    response = await operator.send("PUT", f"/tenants/{owner.tenant}/plan", json={"plan": "platinum"})

    assert problem_of(response) == (422, "invalid-request")


async def test_nobody_of_a_suspended_organisation_gets_in_until_it_is_resumed(operator, owner, clock):
    suspended = await operator.send("PUT", f"/tenants/{owner.tenant}/suspension")
    clock.ahead = timedelta(seconds=31)
    refused = await owner.send("GET", "/tenant")
    resumed = await operator.send("DELETE", f"/tenants/{owner.tenant}/suspension")

    assert (suspended.json()["status"], resumed.json()["status"]) == ("suspended", "active")
    assert problem_of(refused) == (401, "unauthenticated")
    assert (await owner.send("GET", "/tenant")).status_code == 200


@pytest.mark.parametrize("tenant", [OPERATORS, "tn-" + "0" * 26])
async def test_operators_cannot_close_their_own_door_nor_that_of_nobody(operator, tenant):
    answers = [
        await operator.send("PUT", f"/tenants/{tenant}/suspension"),
        await operator.send("PUT", f"/tenants/{tenant}/plan", json={"plan": "starter"}),
    ]

    assert {problem_of(answer) for answer in answers} == {(404, "tenant-not-found")}


@pytest.mark.parametrize("role", [Role.OWNER, Role.VIEWER])
async def test_members_of_ordinary_organisations_operate_nothing(owner, role):
    person = owner if role is Role.OWNER else await owner.bring_in(role)
    path = f"/tenants/{owner.tenant}"

    answers = [
        await person.send("GET", "/tenants"),
        await person.send("POST", "/tenants", json={"organisation_name": "A", "owner_email": new_email()}),
        await person.send("PUT", f"{path}/plan", json={"plan": "enterprise"}),
        await person.send("PUT", f"{path}/overrides/knowledge_bases", json={"value": 9, "expires_at": in_days(1)}),
        await person.send("DELETE", f"{path}/suspension"),
    ]

    assert {problem_of(answer) for answer in answers} == {(403, "forbidden")}


@pytest.mark.parametrize("made_up", ["nonsense", "/tn-1", "2026-11-21/tn-1", "2026-11-21T08:00:00+00:00/"])
async def test_place_in_the_list_that_nobody_was_told_of_is_no_error_of_ours(operator, made_up):
    response = await operator.send("GET", "/tenants", params={"page_token": page_token(made_up, OPERATORS, "tenants")})

    assert response.status_code in (200, 422)
