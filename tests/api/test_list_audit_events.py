"""list_audit_events."""

import pytest

from shared.audit.events import EventKind
from shared.identity.permissions import Role
from tests.api.tenants import problem_of
from tests.audit.samples import MORNING
from tests.postgres.logs import copy_events

pytestmark = pytest.mark.real_server


@pytest.fixture
def has_done(cloud):
    """Return a function that puts events into the searchable copy of a tenant's log, an hour apart."""
    return lambda tenant, *differing: copy_events(cloud, tenant.id, *differing, since=MORNING)


async def listed(tenant, role=Role.OWNER, **query):
    response = await tenant.send("GET", "/audit-events", role, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def test_owner_reads_who_did_what_newest_first(acme, has_done):
    sealed = await has_done(acme, {"actor": "usr_a"}, {"actor": "usr_b", "role": None, "ip": None})

    found = await listed(acme)

    assert [(one["seq"], one["actor"]) for one in found["items"]] == [(2, "usr_b"), (1, "usr_a")]
    assert found["items"][1] == {
        "seq": 1,
        "event_id": sealed[0].event.event_id,
        "at": "2026-11-21T08:00:00Z",
        "actor": "usr_a",
        "role": "viewer",
        "operation": "get_document",
        "resource": sealed[0].event.resource,
        "kind": "access",
        "outcome": "admitted",
        "ip": "203.0.113.7",
        "request_id": "01HRD7YJ4W",
        "step": 0,
        "hash": sealed[0].hash.hex(),
    }
    assert "next_page_token" not in found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"actor": "usr_b"}, [2]),
        ({"operation_id": "delete_document"}, [3]),
        ({"kind": "refusal"}, [2]),
        ({"outcome": "forbidden"}, [2]),
        ({"resource": "workspaces/"}, [3]),
        ({"since": "2026-11-21T09:00:00Z"}, [3, 2]),
        ({"since": "2026-11-21T10:00:00+01:00", "until": "2026-11-21T10:00:00Z"}, [2]),
        ({"actor": "usr_a", "kind": "write"}, [3]),
        ({"actor": "usr_nobody"}, []),
    ],
)
async def test_filters_find_what_fits(acme, has_done, query, found):
    await has_done(
        acme,
        {"actor": "usr_a"},
        {"actor": "usr_b", "kind": EventKind.REFUSAL, "outcome": "forbidden"},
        {"actor": "usr_a", "kind": EventKind.WRITE, "operation": "delete_document", "resource": "workspaces/ws_1"},
    )

    assert [one["seq"] for one in (await listed(acme, **query))["items"]] == found


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "everything"}, {"since": "yesterday"}, {"until": "2026-11-21"}, {"limit": "0"}, {"limit": "101"},
        {"actor": ""}, {"actor": "a b"}, {"resource": "é"}, {"resource": ""}, {"outcome": "x" * 129},
        {"page_token": "made up"}, {"actor": "\x00"},
        {"since": "0001-01-01T00:00:00+14:00"}, {"until": "9999-12-31T23:59:59-14:00"},
    ],
)  # fmt: skip
async def test_filter_that_nothing_can_fit_is_refused(acme, query):
    response = await acme.send("GET", "/audit-events", Role.OWNER, params=query)

    assert problem_of(response) in {(422, "invalid-request"), (422, "invalid-page-token")}


async def test_pages_belong_to_their_tenant_and_filter(acme, globex, has_done):
    await has_done(acme, *[{"actor": "usr_a"}] * 5)
    await has_done(globex, {"actor": "usr_a"})

    first = await listed(acme, limit=2)
    second = await listed(acme, limit=2, page_token=first["next_page_token"])

    assert [one["seq"] for one in first["items"] + second["items"]] == [5, 4, 3, 2]
    for tenant, query in ((globex, {}), (acme, {"actor": "usr_a"})):
        moved = await tenant.send(
            "GET", "/audit-events", Role.OWNER, params={**query, "page_token": first["next_page_token"]}
        )
        assert problem_of(moved) == (422, "invalid-page-token")


async def test_events_of_other_organisations_are_not_seen(acme, globex, has_done):
    await has_done(acme, {"actor": "usr_a"}, {"actor": "usr_b"})
    await has_done(globex, {"actor": "usr_a"})

    assert [one["seq"] for one in (await listed(globex))["items"]] == [1]


@pytest.mark.parametrize("role", [Role.MAINTAINER, Role.REVIEWER, Role.VIEWER])
async def test_others_do_not_read_them(acme, role):
    assert problem_of(await acme.send("GET", "/audit-events", role)) == (403, "forbidden")
