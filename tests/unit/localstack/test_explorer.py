"""The interactive pages hand out tokens, so they serve their own page and nobody else's."""

import httpx
import pytest

from localstack.explorer import build_explorer


@pytest.fixture
async def browser(tmp_path):
    transport = httpx.ASGITransport(build_explorer(tmp_path))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4570") as client:
        yield client


async def test_page_and_its_parts_come_from_this_machine(browser):
    page = await browser.get("/")

    assert page.status_code == 200
    assert "https://" not in page.text
    for part in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert f"/assets/{part}" in page.text
        assert (await browser.get(f"/assets/{part}")).status_code == 200


async def test_description_sends_requests_to_this_server(browser):
    document = (await browser.get("/openapi.json")).json()

    assert [server["url"] for server in document["servers"]] == ["/api"]


async def test_name_that_merely_resolves_to_loopback_is_refused(browser):
    response = await browser.get("/", headers={"host": "rebound.example:4570"})

    assert response.status_code == 400


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_request_of_another_page_gets_no_token(browser, site):
    response = await browser.post("/api/knowledge-bases", headers={"sec-fetch-site": site}, content="{}")

    assert response.status_code == 403
