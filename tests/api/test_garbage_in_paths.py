"""An id that is none is refused as such, alike for every operation, and one that is unknown is not found (U1)."""

import re

import pytest

from shared.identity.permissions import Role
from tests.api.described import TRIGGERS, role_for
from tests.api.tenants import problem_of

OF_SOMETHING = [name for name, route in TRIGGERS.items() if "{" in route.path]
GARBAGE = ["~garbage", "%20", "a%00", "%F0%9F%A7%AD", "%FF", "$where", "a%0A", "x" * 200]
NO_BASES = ["garbage", "kb_", "KB_" + "0" * 26, "kb_" + "0" * 27, "kb_" + "0" * 25 + "%00", "doc_" + "0" * 26, "kb_*"]


async def asked(tenant, name, role, value, **ids):
    def id_of(found: re.Match[str]) -> str:
        return str(ids.get(found[1], value))

    route = TRIGGERS[name]
    path = re.sub(r"{(\w+)}", id_of, route.path)
    return problem_of(await tenant.send(route.method, path, role, json={}))


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("name", OF_SOMETHING)
async def test_garbage_in_a_path_is_invalid(acme, name, garbage):
    assert await asked(acme, name, role_for(name), garbage) == (422, "invalid-request")


@pytest.mark.parametrize("base", NO_BASES)
@pytest.mark.parametrize("name", [name for name in OF_SOMETHING if "{kb_id}" in TRIGGERS[name].path])
async def test_what_cannot_be_a_base_is_invalid(acme, name, base):
    answer = await asked(acme, name, Role.OWNER, base, document_id="doc_" + "0" * 26)

    assert answer == (422, "invalid-request")


@pytest.mark.parametrize("name", OF_SOMETHING)
async def test_a_slash_within_an_id_or_behind_it_is_another_route(acme, name):
    assert await asked(acme, name, role_for(name), "a%2Fb") == (404, "route-not-found")
    route = TRIGGERS[name]
    response = await acme.send(route.method, re.sub(r"{\w+}", "a", route.path) + "/", role_for(name), json={})
    assert problem_of(response) == (404, "route-not-found")
