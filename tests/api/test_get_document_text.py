"""get_document_text."""

import pytest

from shared.documents.canonical import Page
from shared.identity.permissions import Role
from tests.api.tenants import problem_of

TEXT = "Préavis 🧭: the notice period is 30 days. It begins on the first."
QUOTE = "30 days"


async def read(tenant, base, document, **query):
    return await tenant.send("GET", f"/knowledge-bases/{base}/documents/{document}/text", Role.VIEWER, params=query)


@pytest.fixture
async def base(acme):
    return await acme.create_base()


@pytest.fixture
async def document(acme, base):
    return await acme.publish(base, "terms.md", TEXT, pages=(Page(1, 0, 20), Page(2, 20, len(TEXT))))


async def test_citation_is_checked_by_its_span(acme, base, document):
    start = TEXT.index(QUOTE)

    body = (await read(acme, base, document, start=start, end=start + len(QUOTE), context=10)).json()

    assert body["quote"] == QUOTE == TEXT[body["start"] : body["end"]]
    assert (body["before"], body["after"]) == ("period is ", ". It begin")
    assert (body["first_page"], body["last_page"], body["length"]) == (2, 2, len(TEXT))
    assert body["generation"] == 1


async def test_whole_text_comes_without_a_span(acme, base, document):
    assert (await read(acme, base, document)).json()["quote"] == TEXT


async def test_replaced_generation_is_not_shown(acme, base, document):
    await acme.publish(base, "terms.md", "The notice period is 60 days.")

    old = await read(acme, base, document, generation=1)
    new = await read(acme, base, document, generation=2)

    assert problem_of(old) == (404, "content-not-available")
    assert old.json()["facts"]["live_generation"] == 2
    assert new.json()["quote"] == "The notice period is 60 days."


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"start": 10, "end": 9}, "span-outside-text"),
        ({"start": 0, "end": len(TEXT) + 1}, "span-outside-text"),
        ({"start": len(TEXT) + 1}, "span-outside-text"),
        ({"start": 0, "end": 100_001}, "span-too-long"),
        ({"start": -1}, "invalid-request"),
        ({"context": 10_001}, "invalid-request"),
        ({"generation": 0}, "invalid-request"),
    ],
    ids=repr,
)
async def test_span_that_is_not_there_is_refused(acme, base, document, query, code):
    assert problem_of(await read(acme, base, document, **query)) == (422, code)


async def test_document_that_was_never_ready_has_no_text(acme, base):
    created = await acme.promise(base)

    assert problem_of(await read(acme, base, created["document_id"])) == (404, "content-not-available")
