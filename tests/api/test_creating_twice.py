"""Every POST that creates may be sent twice and creates once; the list of those that may not says why (U1)."""

import asyncio
import inspect

import pytest

from shared.identity.permissions import Role
from shared.operations.http import IDEMPOTENCY_KEY
from tests.api.described import ROUTES, TRIGGERS, role_for
from tests.api.organisations import PASSWORD, new_email
from tests.api.tenants import problem_of

CREATING = [name for name, route in TRIGGERS.items() if route.method == "POST" and route.status in (201, 202)]
WITHOUT_KEY = {
    "retry_document": "a second one finds the document in work, which is no failed one any more: 409, nothing happens",
    "start_oidc_sign_in": "leaves nothing but a secret of ten minutes, and each browser needs one of its own",
}
TRIED_ELSEWHERE = {
    "add_url_source": "its own module: needs a web server that answers",
    "accept_invitation": "test_invitations.py: needs an invitation, which one acceptance ends",
    "create_identity_provider": "tests/oidc: needs a provider that answers",
    "export_audit_log": "its own module: needs a log that was copied into the database",
}
BODIES = {
    "create_api_key": ({"name": "Robot", "scope": "read"}, {"name": "Other"}),
    "create_knowledge_base": ({"name": "Policies"}, {"name": "Other"}),
    "create_tenant": ({"organisation_name": "Acme", "owner_email": new_email()}, {"plan": "enterprise"}),
    "create_upload": ({"name": "terms.md"}, {"name": "other.md"}),
    "create_workspace": ({"name": "Legal"}, {"name": "Other"}),
    "invite_member": ({"email": new_email(), "role": "viewer"}, {"role": "reviewer"}),
    "sign_up": (
        {"organisation_name": "Acme", "email": new_email(), "password": PASSWORD, "display_name": "Ada"},
        {"organisation_name": "Other"},
    ),
}
"""A body that creates something, and a change that makes it another request."""

TAKING_KEY = [name for name in CREATING if name not in WITHOUT_KEY]
MALFORMED = ["", " ", "a b", "é", "a\tb", "x" * 129]


@pytest.fixture
async def base(acme):
    return await acme.create_base()


def created_by(answer):
    """Return the ids in the answer, of which none may differ between two answers to one request."""
    return {path: value for path, value in _values(answer) if path.endswith("id")}


def _values(part, path=""):
    if isinstance(part, dict):
        for name, inner in part.items():
            yield from _values(inner, f"{path}.{name}")
    else:
        yield path, part


async def send(tenant, name, base, key, body):
    path = TRIGGERS[name].path.replace("{kb_id}", base)
    return await tenant.send("POST", path, role_for(name), json=body, headers={"idempotency-key": key})


def test_every_creating_post_takes_a_key_or_says_why_not():
    taking = {name for name in CREATING if IDEMPOTENCY_KEY in inspect.signature(ROUTES[name].function).parameters}

    assert set(CREATING) - taking == WITHOUT_KEY.keys()
    assert taking == BODIES.keys() | TRIED_ELSEWHERE.keys()


@pytest.mark.parametrize("name", BODIES)
async def test_the_same_request_creates_once(acme, base, name):
    body, change = BODIES[name]

    first, *rest = await asyncio.gather(*(send(acme, name, base, "k-1", body) for _ in range(3)))
    again = await send(acme, name, base, "k-1", body)
    other = await send(acme, name, base, "k-1", body | change)

    assert [answer.status_code for answer in (first, *rest, again)] == [201] * 4, again.text
    assert created_by(first.json())
    for answer in (*rest, again):
        assert created_by(answer.json()) == created_by(first.json())
    assert problem_of(other) == (422, "idempotency-key-reused")


@pytest.mark.parametrize("key", MALFORMED, ids=ascii)
@pytest.mark.parametrize("name", TAKING_KEY)
async def test_a_malformed_key_is_refused(acme, base, name, key):
    path = TRIGGERS[name].path.replace("{kb_id}", base)
    headers = acme.headers(role_for(name)) | {"idempotency-key": key.encode("latin-1")}

    response = await acme.client.post(path, json=BODIES.get(name, ({},))[0], headers=headers)

    assert problem_of(response) == (422, "invalid-request")
    assert "header.Idempotency-Key" in [error["field"] for error in response.json()["errors"]]


@pytest.mark.parametrize("name", WITHOUT_KEY)
async def test_what_takes_no_key_is_not_troubled_by_one(acme, base, name):
    path = TRIGGERS[name].path.replace("{kb_id}", base).replace("{document_id}", "doc_" + "0" * 26)

    response = await acme.send("POST", path, Role.OWNER, json={}, headers={"idempotency-key": "k-1"})

    assert response.status_code in (404, 422)
