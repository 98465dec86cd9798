"""list_sign_in_methods: enough for a login page, nothing for a stranger."""

import pytest

from tests.api.tenants import problem_of

pytestmark = pytest.mark.real_server


async def test_login_page_learns_names_and_ids_and_nothing_else(acme, lasting_provider):
    provider = await acme.connect(lasting_provider.issuer, name="Acme staff", default_role="viewer")

    response = await acme.client.get(f"/tenants/{acme.id}/sign-in-methods")

    assert response.json() == {"providers": [{"provider_id": provider["id"], "name": "Acme staff"}]}


async def test_tenant_that_does_not_exist_looks_like_one_without_providers(acme):
    acme.headers()

    known = await acme.client.get(f"/tenants/{acme.id}/sign-in-methods")
    unknown = await acme.client.get("/tenants/no-such-tenant/sign-in-methods")

    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json()) == (200, {"providers": []})


async def test_name_that_no_tenant_has_is_refused(acme):
    assert problem_of(await acme.client.get("/tenants/No%23Such/sign-in-methods")) == (422, "invalid-request")
