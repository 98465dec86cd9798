"""revoke_api_key."""

import asyncio
from datetime import timedelta

from shared.identity.permissions import Role
from tests.api.tenants import body_without_request_id, problem_of


async def create(tenant, role=Role.MAINTAINER, user="ada"):
    response = await tenant.send("POST", "/api-keys", role, user=user, json={"name": "machine", "scope": "read"})
    return response.json()["key"]["id"], response.json()["api_key"]


async def use(tenant, bearer):
    return await tenant.client.get("/me", headers={"authorization": f"Bearer {bearer}"})


async def test_revoked_key_opens_nothing_half_a_minute_later(acme, clock):
    key, bearer = await create(acme)
    assert (await use(acme, bearer)).status_code == 200

    assert (await acme.send("DELETE", f"/api-keys/{key}", user="ada")).status_code == 204

    clock.ahead = timedelta(seconds=30)
    assert problem_of(await use(acme, bearer)) == (401, "unauthenticated")


async def test_key_that_was_never_used_opens_nothing_at_once(acme):
    key, bearer = await create(acme)
    await acme.send("DELETE", f"/api-keys/{key}", user="ada")

    assert problem_of(await use(acme, bearer)) == (401, "unauthenticated")


async def test_owner_revokes_anybodys_key(acme):
    key, bearer = await create(acme)

    assert (await acme.send("DELETE", f"/api-keys/{key}", Role.OWNER)).status_code == 204

    assert (await use(acme, bearer)).status_code == 401


async def test_key_of_somebody_else_looks_missing_and_lives_on(acme, globex):
    key, bearer = await create(acme)
    unknown = await acme.send("DELETE", f"/api-keys/key_{'0' * 26}", user="bob")

    for tenant, role in ((acme, Role.MAINTAINER), (globex, Role.OWNER)):
        response = await tenant.send("DELETE", f"/api-keys/{key}", role, user="bob")
        assert problem_of(response) == (404, "api-key-not-found")
        assert body_without_request_id(response) == body_without_request_id(unknown)

    assert (await use(acme, bearer)).status_code == 200


async def test_revoking_twice_finds_nothing(acme):
    key, _ = await create(acme)
    await acme.send("DELETE", f"/api-keys/{key}", user="ada")

    response = await acme.send("DELETE", f"/api-keys/{key}", user="ada")

    assert problem_of(response) == (404, "api-key-not-found")


async def test_of_many_that_revoke_at_once_owners_read_one(acme):
    key, _ = await create(acme)

    answers = await asyncio.gather(*(acme.send("DELETE", f"/api-keys/{key}", user="ada") for _ in range(5)))

    assert {answer.status_code for answer in answers} <= {204, 404}
    events = (await acme.send("GET", "/security-events", Role.OWNER)).json()["items"]
    assert [event["kind"] for event in events] == ["api-key-revoked", "api-key-created"]
