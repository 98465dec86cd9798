"""Every operation × every way to name what is another tenant's: it looks like what nobody has (T5, invariant 4).

The cells come from the declarations. For each one a tenant sends the same request twice, once with what another tenant
really has and once with something unknown of the same form: both answers are the same to the byte, and the owner's
records and files stay as they are.
"""

import re
from dataclasses import dataclass
from itertools import combinations

import pytest

from shared.identity.permissions import Permission, Role
from shared.operations.capabilities import ARTIFACTS, IDENTITY, METADATA, UPLOADS
from tests.api.declared import ROUTES, fields_of, parameters_of, path_parameters
from tests.api.people import new_person
from tests.api.tenants import Tenant, new_tenant_name, problem_of
from tests.isolation.estate import NAMELESS, NAMING, Estate, send
from tests.isolation.forms import carried_over, unknown_like
from tests.isolation.masks import masked

PROOFS = {"refresh_token", "token"}
"""What proves by itself that its bearer may: carried over to another tenant's name, it must prove nothing."""

FOR_ALL_TO_SEE = {("list_sign_in_methods", "tenant_id"): "Whoever wants to sign in chooses among the ways of a tenant."}
ADDRESS_TAKEN = {("sign_up", "email"): "An address has one account in a deployment, whose owner should sign in."}


@dataclass(frozen=True)
class Cell:
    """One operation, and which of its parameters name something foreign."""

    operation: str
    place: str
    names: tuple[str, ...]

    def __str__(self):
        return f"{self.operation}-{self.place}-{'+'.join(self.names)}"


TOLD_TO_OWNERS = {Cell("sign_in", "body", ("email",))}
"""A wrong password for a member's account is a security event that the member's owners can read."""


CONFLICTS = {"already-member", "duplicate-document", "email-taken", "nothing-to-cancel", "nothing-to-retry"}
FOUND = {
    ("cancel_tenant_move", "tenant_id"): ["invalid-move"],
    ("start_tenant_move", "tenant_id"): ["invalid-move"],
    ("create_tenant", "idempotency_key"): ["idempotency-key-reused"],
    ("invite_member", "idempotency_key"): ["idempotency-key-reused"],
    ("remove_override", "tenant_id"): ["override-not-found"],
    **{("complete_oidc_sign_in", name): ["refused-sign-in"] for name in ("binding", "redirect_uri", "state")},
}
"""How an operation refuses what it found, where it cannot just do it."""


def cells_of(operation_id):
    operation, route = ROUTES[operation_id]
    in_path = [name for name in path_parameters(operation_id) if name in NAMING]
    for size in range(1, len(in_path) + 1):
        yield from (Cell(operation_id, "path", names) for names in combinations(in_path, size))
    for name in sorted(parameters_of(operation, route) & NAMING):
        yield Cell(operation_id, "header" if name == "idempotency_key" else "query", (name,))
    for *path, name in fields_of(operation):
        if name in NAMING:
            assert not path, f"{operation_id} names {name} deep in its body: teach `send` to put it there."
            yield Cell(operation_id, "body", (name,))


CELLS = [cell for operation_id in ROUTES for cell in cells_of(operation_id)]
OF_PATHS = [cell for cell in CELLS if cell.place == "path" and (cell.operation, *cell.names) not in FOR_ALL_TO_SEE]
OF_REQUESTS = [cell for cell in CELLS if cell.place != "path" and (cell.operation, *cell.names) not in ADDRESS_TAKEN]


@pytest.mark.parametrize("operation_id", ROUTES)
def test_every_parameter_was_thought_about(operation_id):
    """Whether a new one names something, and how a real one comes about, is for `estate.py` to say."""
    operation, route = ROUTES[operation_id]
    names = {*path_parameters(operation_id), *parameters_of(operation, route)} | {
        path[-1] for path in fields_of(operation)
    }

    assert names <= NAMING | NAMELESS
    assert not NAMING & NAMELESS


def test_there_are_cells_of_every_kind():
    assert {cell.names[-1] for cell in CELLS} == NAMING
    assert len(CELLS) >= 70
    assert {cell.operation for cell in CELLS if cell.place == "path"} == {
        name for name in ROUTES if not NAMELESS.issuperset(path_parameters(name))
    }


@pytest.fixture
def new_estate(app, cloud, issuer, people, provider, publish, new_client):
    """Make tenants that have nothing yet, each at an internet address of its own."""

    def made(*, operates=False):
        tenant = Tenant(new_tenant_name(), new_client(), issuer, cloud, people)
        return Estate(tenant, provider.issuer, new_person(cloud, app, people), publish, operates)

    return made


@pytest.fixture(scope="session")
def _owners():
    return []


@pytest.fixture
async def owner(_owners, new_estate):
    """The tenant that has all that the cells name. It is made once: no cell may change it."""
    if not _owners:
        estate = new_estate(operates=True)
        for cell in CELLS:
            for name in cell.names:
                await estate.real(name, cell.operation)
        _owners.append((estate, snapshot(estate)))
    return _owners[0][0]


@pytest.fixture(autouse=True)
def _nothing_of_the_owner_changes(_owners, request):
    yield
    if "owner" in request.fixturenames:
        estate, before = _owners.pop()
        after = snapshot(estate)
        _owners.append((estate, after))
        changed = {key for key in before | after if before.get(key) != after.get(key)}
        assert not [key for key in changed if cell_of(request) not in TOLD_TO_OWNERS]
        assert not [key for key in changed if not key[1].startswith("event#")]


def cell_of(request):
    return request.node.callspec.params["cell"] if hasattr(request.node, "callspec") else None


def snapshot(estate):
    """Return every record and every version of every file of a tenant, beside counters of its requests."""
    cloud, tenant = estate.tenant.cloud, estate.tenant.id
    items = [
        item
        for table in (METADATA, IDENTITY)
        for page in cloud.dynamodb.get_paginator("scan").paginate(
            TableName=cloud.address_of(table),
            FilterExpression="pk = :tenant OR begins_with(pk, :below) OR pk IN (:account, :address)",
            ExpressionAttributeValues={
                ":tenant": {"S": f"t#{tenant}"},
                ":below": {"S": f"t#{tenant}#"},
                ":account": {"S": f"user#{estate.person.user_id}"},
                ":address": {"S": f"email#{estate.person.email}"},
            },
            ConsistentRead=True,
        )
        for item in page["Items"]
        if item["sk"]["S"] != "guesses"
    ]
    files = [
        (one["Key"], one["VersionId"], one["ETag"])
        for bucket in (UPLOADS, ARTIFACTS)
        for one in cloud.s3.list_object_versions(Bucket=cloud.address_of(bucket), Prefix=f"t/{tenant}/").get(
            "Versions", []
        )
    ]
    assert items
    assert files
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in items} | dict.fromkeys(files, True)


@pytest.mark.parametrize("cell", OF_PATHS, ids=str)
async def test_foreign_id_in_a_path_looks_missing(owner, new_estate, cell):
    sender = new_estate()
    real = {name: await owner.real(name) for name in cell.names}

    foreign = await send(sender, cell.operation, real)
    unknown = await send(sender, cell.operation, {name: unknown_like(value) for name, value in real.items()})

    is_for_operators = ROUTES[cell.operation][1].permission is Permission.TENANT_OPERATE
    assert problem_of(foreign)[0] == (403 if is_for_operators else 404)
    assert told_by(foreign) == told_by(unknown)


@pytest.mark.parametrize("cell", OF_REQUESTS, ids=str)
async def test_foreign_value_in_a_request_does_what_an_unknown_one_does(owner, new_estate, cell):
    (name,) = cell.names
    real = await owner.real(name, cell.operation)
    told = []
    for is_known in (True, False):
        # Each in a tenant of its own, for some of these requests succeed.
        sender = new_estate()
        value = carried_over(real, sender.tenant.id) if name in PROOFS else real
        value = value if is_known else unknown_like(value)
        changes = {name: value} if cell.place == "body" else {}
        if cell in TOLD_TO_OWNERS:
            changes["password"] = "not the password of anybody"
        parts = {"header": {"headers": {"idempotency-key": value}}, "query": {"params": {name: value}}}
        told.append(masked(*told_by(await send(sender, cell.operation, changes, **parts.get(cell.place, {})))))

    assert told[0] == told[1]
    assert told[0][0] < 500


@pytest.mark.parametrize("cell", CELLS, ids=str)
async def test_own_value_is_found(new_estate, cell):
    """So what the cells above are refused for is nothing but whose the value is."""
    sender = new_estate(operates=True)
    own = {name: await sender.real(name, cell.operation) for name in cell.names}
    if cell.names == ("user_id",):
        sender.tenant.headers(Role.OWNER)
    if cell.operation == "complete_oidc_sign_in":
        own = {name: await sender.real(name) for name in ("state", "binding", "redirect_uri")}
    (value, *_) = own.values()
    changes = {} if cell.place in {"header", "query"} else own
    parts = {"header": {"headers": {"idempotency-key": value}}, "query": {"params": own}}

    answer = await send(sender, cell.operation, changes, **parts.get(cell.place, {}))

    if not answer.is_success:
        assert problem_of(answer)[1] in {*CONFLICTS, *FOUND.get((cell.operation, *cell.names), ())}


async def test_ways_to_sign_in_are_for_all_to_see_and_those_of_nobody_are_none(owner, new_estate):
    empty = new_estate()
    await empty.real("tenant_id")
    answers = [
        await send(empty, "list_sign_in_methods", {"tenant_id": tenant})
        for tenant in (empty.tenant.id, unknown_like(empty.tenant.id), owner.tenant.id)
    ]

    assert told_by(answers[0]) == told_by(answers[1])
    assert [way["name"] for way in answers[2].json()["providers"]] == [f"Sign-in of {owner.tenant.canary}"] * 2


async def test_address_with_an_account_signs_up_nowhere_and_says_no_more(owner, new_estate):
    refused = await send(new_estate(), "sign_up", {"email": await owner.real("email")})

    assert problem_of(refused) == (409, "email-taken")
    assert owner.tenant.id not in refused.text


def test_unknown_values_have_the_form_of_real_ones_and_are_others():
    for value in (
        "kb_" + "1" * 26,
        "tenant-0123456789ab",
        "only-0123456789ab",
        "01h455vb4pex5vsknk084sn02q@people.example",
        "f" * 64,
        "tin_acme." + "a" * 26 + "." + "b" * 43,
        "create_upload-of-tenant-0123456789ab",
    ):
        unknown = unknown_like(value)
        assert unknown != value
        assert re.sub(r"[\w-]", "x", unknown) == re.sub(r"[\w-]", "x", value)


def told_by(response):
    """Return all that an answer tells: its status, its headers but for counts of requests, its body to the byte."""
    request_id = response.headers["x-request-id"]
    headers = {
        name: value
        for name, value in response.headers.items()
        if name not in {"x-request-id", "content-length", "retry-after"} and not name.startswith("ratelimit")
    }
    return response.status_code, headers, response.content.replace(request_id.encode(), b"the request")
