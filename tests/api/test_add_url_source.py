"""add_url_source."""

import asyncio

import pytest

from shared.operations.capabilities import FETCH_QUEUE
from tests.addresses import FORBIDDEN
from tests.api.cloud import messages_in
from tests.api.tenants import problem_of

URL = "https://handbook.example.com/terms/notice.md?version=2"


async def add(tenant, base, url=URL, *, headers=None, **body):
    return await tenant.send(
        "POST", f"/knowledge-bases/{base}/url-sources", json={"url": url, **body}, headers=headers or {}
    )


async def shown(tenant, base, document):
    return (await tenant.send("GET", f"/knowledge-bases/{base}/documents/{document}")).json()


async def test_answer_describes_the_document_at_once_and_its_file_is_to_be_fetched(acme, cloud):
    base = await acme.create_base()
    messages_in(cloud, FETCH_QUEUE)

    response = await add(acme, base, URL + "#section")

    assert response.status_code == 202
    document = response.json()
    assert (document["status"], document["stage"], document["attempt"]) == ("processing", "fetching", 1)
    assert (document["name"], document["source_url"]) == ("notice.md", URL)
    assert document["task_id"].startswith("task_")
    assert await shown(acme, base, document["id"]) == document
    listed = (await acme.send("GET", f"/knowledge-bases/{base}/documents")).json()
    assert [one["source_url"] for one in listed["items"]] == [URL]
    (message,) = messages_in(cloud, FETCH_QUEUE)
    assert (message["tenant"], message["document_id"], message["generation"]) == (acme.id, document["id"], 1)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com", "example.com.html"),
        ("https://example.com/", "example.com.html"),
        ("https://example.com/guide/", "guide"),
        ("https://example.com/a%20b%2Fc.pdf", "page"),
        ("https://example.com/stra%C3%9Fe.md", "straße.md"),
        ("https://example.com/%E2%80%AEfdp.exe", "page"),
        ("https://example.com/" + "a" * 300, "a" * 255),
    ],
)
async def test_document_is_called_like_the_last_part_of_its_address(acme, url, name):
    base = await acme.create_base()

    assert (await add(acme, base, url)).json()["name"] == name


async def test_document_may_be_given_a_name_and_metadata(acme):
    base = await acme.create_base(config={"metadata_fields": {"year": "number"}})

    document = (await add(acme, base, name="terms.md", metadata={"year": 2026})).json()

    assert (document["name"], document["metadata"]) == ("terms.md", {"year": 2026.0})
    assert problem_of(await add(acme, base, metadata={"colour": "red"})) == (422, "invalid-metadata")


async def test_repetition_with_the_same_key_answers_with_the_same_document(acme):
    base = await acme.create_base()
    key = {"idempotency-key": "k-1"}

    responses = await asyncio.gather(*(add(acme, base, headers=key) for _ in range(3)))

    assert {response.status_code for response in responses} == {202}, [response.text for response in responses]
    assert len({response.json()["id"] for response in responses}) == 1
    assert (await acme.send("GET", f"/knowledge-bases/{base}")).json()["document_count"] == 1
    other = await add(acme, base, "https://example.com/other", headers=key)
    assert problem_of(other) == (422, "idempotency-key-reused")


@pytest.mark.parametrize("url", FORBIDDEN)
async def test_address_that_leads_inside_is_refused_at_once_and_changes_nothing(acme, cloud, url):
    base = await acme.create_base()
    messages_in(cloud, FETCH_QUEUE)

    response = await add(acme, base, url)

    assert problem_of(response) == (422, "url-forbidden"), response.text
    assert (await acme.send("GET", f"/knowledge-bases/{base}")).json()["document_count"] == 0
    assert messages_in(cloud, FETCH_QUEUE) == []


@pytest.mark.parametrize(
    "body", [{}, {"url": ""}, {"url": 5}, {"url": "https://example.com/" + "a" * 2048}, {"url": URL, "tenant": "x"},
             {"url": URL, "name": "../x"}, {"url": URL, "name": ""}],
    ids=lambda body: repr(body)[:40],
)  # fmt: skip
async def test_unfit_body_is_refused(acme, body):
    base = await acme.create_base()

    response = await acme.send("POST", f"/knowledge-bases/{base}/url-sources", json=body)

    assert problem_of(response) == (422, "invalid-request")


async def test_document_limit_counts_what_is_to_be_fetched(acme):
    base = await acme.create_base(document_limit=1)
    await add(acme, base)

    assert problem_of(await add(acme, base)) == (409, "document-limit-reached")


async def test_what_is_being_fetched_can_be_cancelled_fetched_again_and_deleted(acme, cloud):
    base = await acme.create_base()
    document = (await add(acme, base)).json()["id"]
    path = f"/knowledge-bases/{base}/documents/{document}"
    messages_in(cloud, FETCH_QUEUE)

    cancelled = await acme.send("POST", f"{path}/cancel")
    again = await acme.send("POST", f"{path}/retry")

    assert (cancelled.json()["status"], cancelled.json()["source_url"]) == ("cancelled", URL)
    assert (again.status_code, again.json()["status"], again.json()["stage"]) == (202, "processing", "fetching")
    assert [message["generation"] for message in messages_in(cloud, FETCH_QUEUE)] == [2]
    assert problem_of(await acme.send("POST", f"{path}/retry")) == (409, "nothing-to-retry")
    assert (await acme.send("DELETE", path)).status_code == 204
    assert problem_of(await acme.send("GET", path)) == (404, "document-not-found")
