"""download_document."""

from urllib.parse import parse_qs, urlsplit

import httpx

from shared.identity.permissions import Role
from tests.api.tenants import problem_of


async def download(tenant, base, document):
    return await tenant.send("GET", f"/knowledge-bases/{base}/documents/{document}/download", Role.VIEWER)


async def test_link_gives_the_original_as_an_attachment_of_its_name(acme):
    base = await acme.create_base()
    document = await acme.publish(base, "terms été.md", "The notice period is 30 days.")

    link = (await download(acme, base, document)).json()

    assert (link["name"], link["generation"], link["size_bytes"]) == ("terms été.md", 1, 29)
    async with httpx.AsyncClient() as browser:
        response = await browser.get(link["url"])
    assert response.text == "The notice period is 30 days."
    asked_for = parse_qs(urlsplit(link["url"]).query)
    assert asked_for["response-content-disposition"] == ["attachment; filename*=UTF-8''terms%20%C3%A9t%C3%A9.md"]


async def test_link_gives_what_is_served_not_what_came_last(acme):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")
    await acme.drop(base, "terms.md", "The notice period is 60 days.")

    link = (await download(acme, base, document)).json()

    async with httpx.AsyncClient() as browser:
        assert (await browser.get(link["url"])).text == "The notice period is 30 days."


async def test_document_that_was_never_ready_has_no_original_to_give(acme):
    base = await acme.create_base()
    created = await acme.promise(base)

    assert problem_of(await download(acme, base, created["document_id"])) == (404, "content-not-available")
