"""What every list promises: page tokens are good for this list, this tenant and these filters, and no other (U1)."""

import inspect

import pytest

from shared.identity.permissions import Role
from tests.api.described import ROUTES, TRIGGERS, role_for
from tests.api.organisations import new_email
from tests.api.tenants import problem_of

SEALED = {"list_audit_events", "verify_audit_log"}
"""What they list appears some seconds later, by functions that their own modules ask; there their tokens are tried."""
LISTS = [
    name
    for name, operation in ROUTES.items()
    if name not in SEALED and "page_token" in inspect.signature(operation.function).parameters
]
OF_OWNERS = [name for name in LISTS if role_for(name) is Role.OWNER]
FILTERS = {
    "list_documents": {"name_prefix": "a"},
    "list_invitations": {"status": "pending"},
    "list_knowledge_bases": {"workspace_id": "ws_" + "0" * 26},
}
"""A filter of each list that has any: the query parameters besides `limit` and `page_token`."""


async def fill(tenant, name):
    """See to it that a list has more than one item; return the base that it is a list of, if any."""
    base = ""
    for number in range(2):
        match name:
            case "list_documents":
                base = base or await tenant.create_base()
                await tenant.promise(base, f"a-{number}.md")
            case "list_knowledge_bases":
                await tenant.create_base(name=f"Base {number}")
            case "list_workspaces":
                await made(tenant, "/workspaces", name=f"Workspace {number}")
            case "list_invitations":
                await made(tenant, "/invitations", email=new_email(), role="viewer")
            case "list_api_keys" | "list_security_events":
                await made(tenant, "/api-keys", name=f"Key {number}", scope="read")
            case "list_members":
                tenant.headers(Role.VIEWER, f"member-{number}")
            case "list_tenants":
                await made(
                    tenant, "/tenants", Role.OPERATOR, organisation_name=f"Tenant {number}", owner_email=new_email()
                )
            case _:
                raise AssertionError(f"Say here how {name} gets items.")
    return base


async def made(tenant, path, sender=Role.OWNER, **body):
    response = await tenant.send("POST", path, sender, json=body)
    assert response.status_code == 201, response.text


async def get(tenant, name, base, **query):
    return await tenant.send("GET", TRIGGERS[name].path.replace("{kb_id}", base), role_for(name), params=query)


def test_every_filter_is_tried():
    filtered = {
        name
        for name in LISTS
        if {"limit", "page_token"}
        < set(inspect.signature(ROUTES[name].function).parameters) - {"caller", "services", "kb_id"}
    }

    assert filtered == FILTERS.keys()


@pytest.mark.parametrize("name", LISTS)
async def test_a_token_leads_on_without_repeating(acme, name):
    base = await fill(acme, name)

    first = (await get(acme, name, base, limit=1)).json()
    second = await get(acme, name, base, limit=1, page_token=first["next_page_token"])

    assert second.status_code == 200, second.text
    assert len(first["items"]) == len(second.json()["items"]) == 1
    assert first["items"] != second.json()["items"]


@pytest.mark.parametrize("name", LISTS)
async def test_a_changed_token_is_none(acme, name):
    base = await fill(acme, name)
    token = (await get(acme, name, base, limit=1)).json()["next_page_token"]

    for place in range(0, len(token), 7):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert problem_of(await get(acme, name, base, page_token=changed)) == (422, "invalid-page-token")
    for cut in (token[:-1], token[1:], token + "A", token[: len(token) // 2]):
        assert problem_of(await get(acme, name, base, page_token=cut)) == (422, "invalid-page-token")


@pytest.mark.parametrize("name", OF_OWNERS)
async def test_a_token_of_another_tenant_is_none(acme, globex, name):
    theirs, own = await fill(acme, name), await fill(globex, name)
    token = (await get(acme, name, theirs, limit=1)).json()["next_page_token"]

    response = await get(globex, name, own, page_token=token)

    assert problem_of(response) == (422, "invalid-page-token")


@pytest.mark.parametrize("name", LISTS)
async def test_a_token_of_another_list_is_none(acme, name):
    other = next(each for each in OF_OWNERS if each != name)
    base, other_base = await fill(acme, name), await fill(acme, other)
    token = (await get(acme, other, other_base, limit=1)).json()["next_page_token"]

    assert problem_of(await get(acme, name, base, page_token=token)) == (422, "invalid-page-token")


@pytest.mark.parametrize("name", FILTERS)
async def test_a_token_belongs_to_its_filter(acme, name):
    base = await fill(acme, name)
    token = (await get(acme, name, base, limit=1)).json()["next_page_token"]

    response = await get(acme, name, base, page_token=token, **FILTERS[name])

    assert problem_of(response) == (422, "invalid-page-token")


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1.5", "ten", "", "1e2", "١"])
@pytest.mark.parametrize("name", LISTS)
async def test_a_limit_lies_between_1_and_100(acme, name, limit):
    base = await acme.create_base() if name == "list_documents" else ""

    refused = await get(acme, name, base, limit=limit)
    taken = await get(acme, name, base, limit=100)

    assert problem_of(refused) == (422, "invalid-request")
    assert taken.status_code == 200


@pytest.mark.parametrize("name", LISTS)
async def test_unknown_and_repeated_parameters_are_refused(acme, name):
    base = await acme.create_base() if name == "list_documents" else ""
    path = TRIGGERS[name].path.replace("{kb_id}", base)

    unknown = await acme.send("GET", f"{path}?page_tokn=a", role_for(name))
    repeated = await acme.send("GET", f"{path}?limit=1&limit=2", role_for(name))

    assert problem_of(unknown) == problem_of(repeated) == (422, "invalid-request")
