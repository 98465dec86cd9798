"""sign_up, get_tenant, update_tenant."""

import asyncio

import pytest

from functions.tenancy.sign_up import sign_up as sign_up_operation
from shared.composition.services import services_for
from shared.composition.settings import Settings
from shared.identity.tokens import TENANT_PATTERN
from shared.kernel.ids import TenantId
from shared.operations.capabilities import SIGN_UP
from shared.operations.registry import load_operation
from shared.tenancy.errors import SignUpClosedError
from shared.tenancy.models import default_workspace_of
from shared.tenancy.requests import SignUpRequest
from tests.api.organisations import PASSWORD, new_email, sign_up
from tests.api.tenants import problem_of


def body(**changes):
    return {"organisation_name": " Acme ", "email": new_email(), "password": PASSWORD, "display_name": "Ada", **changes}


async def test_organisation_starts_small_with_its_owner_and_a_workspace(client, issuer):
    response = await client.post("/sign-ups", json=body())

    assert response.status_code == 201
    tenant = response.json()["tenant"]
    assert TENANT_PATTERN.fullmatch(tenant["id"])
    assert (tenant["name"], tenant["plan"], tenant["status"]) == ("Acme", "starter", "active")
    assert tenant["figures"]["knowledge_bases"] == 10
    owner = await sign_up(client, issuer)
    assert await owner.members() == {owner.user_id: "owner"}
    (workspace,) = (await owner.send("GET", "/workspaces")).json()["items"]
    assert (workspace["id"], workspace["name"], workspace["is_default"]) == (
        default_workspace_of(TenantId(owner.tenant)),
        "main",
        True,
    )


async def test_closed_deployment_takes_nobody_in(cloud, client):
    asked = body()
    variables = {**cloud.variables, SIGN_UP.resource.variable: "closed"}
    services = services_for(load_operation("tenancy", "sign_up"), Settings(variables))

    with pytest.raises(SignUpClosedError):
        await sign_up_operation(SignUpRequest.model_validate(asked), services)

    assert (await client.post("/sign-ups", json=asked)).status_code == 201


async def test_nothing_that_was_said_can_be_read_back_but_names(client, issuer):
    asked = body()

    response = await client.post("/sign-ups", json=asked)

    assert asked["password"] not in response.text
    assert "hash" not in response.text


@pytest.mark.parametrize("spelling", [str, str.upper, lambda email: f" {email} "])
async def test_address_has_one_account_however_it_is_spelled(client, issuer, spelling):
    owner = await sign_up(client, issuer)

    response = await client.post("/sign-ups", json=body(email=spelling(owner.email)))

    assert problem_of(response) == (409, "email-taken")


async def test_right_password_of_an_account_is_answered_like_a_wrong_one(client, issuer):
    owner = await sign_up(client, issuer)

    right = await client.post("/sign-ups", json=body(email=owner.email, password=PASSWORD))
    wrong = await client.post("/sign-ups", json=body(email=owner.email, password="nine red boats at dusk"))

    assert problem_of(right) == problem_of(wrong) == (409, "email-taken")


@pytest.mark.parametrize("password", ["short", "password1234", "x" * 129])
async def test_weak_password_creates_nothing(client, password):
    email = new_email()

    response = await client.post("/sign-ups", json=body(email=email, password=password))

    assert problem_of(response) == (422, "weak-password")
    assert (await client.post("/sign-ups", json=body(email=email))).status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"organisation_name": ""},
        {"organisation_name": "x" * 101},
        {"email": "nobody"},
        {"email": "a@b@people.example"},
        {"password": ""},
        {"display_name": "a\nb"},
        {"plan": "enterprise"},
        {"role": "operator"},
        {"tenant": "operators"},
        {"overrides": {}},
    ],
    ids=repr,
)
async def test_unfit_body_is_refused(client, changes):
    assert problem_of(await client.post("/sign-ups", json=body(**changes))) == (422, "invalid-request")


async def test_of_several_at_once_with_one_address_one_gets_it(client):
    email = new_email()

    responses = await asyncio.gather(*(client.post("/sign-ups", json=body(email=email)) for _ in range(4)))

    assert sorted(response.status_code for response in responses) == [201, 409, 409, 409]


async def test_repetition_with_the_same_key_creates_once(client, issuer):
    asked, headers = body(), {"idempotency-key": "k-1"}

    responses = await asyncio.gather(*(client.post("/sign-ups", json=asked, headers=headers) for _ in range(3)))
    changed = await client.post("/sign-ups", json={**asked, "organisation_name": "Other"}, headers=headers)

    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["tenant"]["id"] for response in responses}) == 1
    assert len({response.json()["user_id"] for response in responses}) == 1
    assert problem_of(changed) == (422, "idempotency-key-reused")


async def test_key_of_somebody_else_leads_nowhere(client):
    headers = {"idempotency-key": "k-1"}

    first = await client.post("/sign-ups", json=body(), headers=headers)
    second = await client.post("/sign-ups", json=body(), headers=headers)

    assert first.json()["tenant"]["id"] != second.json()["tenant"]["id"]


async def test_owner_renames_the_organisation(client, issuer):
    owner = await sign_up(client, issuer)

    renamed = await owner.send("PATCH", "/tenant", json={"name": "Acme & Sons"})

    assert renamed.status_code == 200
    assert (await owner.send("GET", "/tenant")).json()["name"] == "Acme & Sons"


@pytest.mark.parametrize("name", ["plan", "status", "overrides", "figures", "id"])
async def test_owner_sets_nothing_else(client, issuer, name):
    owner = await sign_up(client, issuer)

    response = await owner.send("PATCH", "/tenant", json={"name": "Acme", name: "enterprise"})

    assert problem_of(response) == (422, "invalid-request")
