"""preview_chunks."""

import base64

import pytest

from shared.adapters.minilm.build_model import DEFAULT_FOLDER, build_model
from shared.documents.previews import MAX_SAMPLE_BYTES, MAX_SHOWN
from shared.operations.capabilities import UPLOADS
from tests.api.tenants import problem_of

TEXT = "# Terms\n\nThe notice period is 30 days. It begins on the first.\n\n## Fees\n\nThere are no fees at all.\n"


@pytest.fixture(scope="session", autouse=True)
def _vocabulary():
    build_model(DEFAULT_FOLDER)


async def preview(tenant, **body):
    return await tenant.send("POST", "/chunk-previews", json=body)


async def test_chunks_are_spans_with_their_headings(acme):
    body = (await preview(acme, name="terms.md", text=TEXT, chunking={"min_tokens": 0})).json()

    assert (body["format"], body["chunk_count"]) == ("md", 2)
    first, second = body["chunks"]
    assert "30 days" in first["text"]
    assert "no fees" in second["text"]
    assert first["end"] - first["start"] == len(first["text"])
    assert second["headings"] == ["Terms", "Fees"]
    assert 0 < second["tokens"] <= 200


async def test_another_strategy_gives_other_chunks(acme):
    text = "One sentence stands here. " * 60
    whole = (await preview(acme, text=text)).json()
    windows = {"strategy": "tokens", "max_tokens": 32, "overlap_tokens": 8, "context_tokens": 0, "min_tokens": 0}

    cut = (await preview(acme, text=text, chunking=windows)).json()

    assert cut["chunk_count"] > whole["chunk_count"]
    assert all(chunk["tokens"] <= 32 for chunk in cut["chunks"])


async def test_any_format_comes_as_base64(acme):
    content = base64.b64encode(b"name,year\nTerms,2026\n").decode()

    body = (await preview(acme, name="list.csv", content=content, chunking={"strategy": "rows"})).json()

    assert body["format"] == "csv"
    assert "2026" in body["chunks"][0]["text"]


async def test_only_the_first_chunks_of_many_are_shown(acme):
    text = "".join(f"Sentence number {number} is here.\n\n" for number in range(2000))
    small = {"strategy": "tokens", "max_tokens": 16, "overlap_tokens": 0, "context_tokens": 0, "min_tokens": 0}

    body = (await preview(acme, text=text, chunking=small)).json()

    assert len(body["chunks"]) == MAX_SHOWN < body["chunk_count"]


async def test_file_that_cannot_become_a_document_is_refused_with_its_reason(acme):
    response = await preview(acme, name="a.pdf", content=base64.b64encode(b"%PDF-1.7 broken").decode())

    assert problem_of(response) == (422, "document-rejected")
    assert response.json()["facts"]["reason"]


async def test_nothing_is_stored(acme, cloud):
    before = cloud.s3.list_object_versions(Bucket=cloud.address_of(UPLOADS), Prefix=f"t/{acme.id}/")

    await preview(acme, text=TEXT)

    assert "Versions" not in before
    assert "Versions" not in cloud.s3.list_object_versions(Bucket=cloud.address_of(UPLOADS), Prefix=f"t/{acme.id}/")
    assert (await acme.send("GET", "/knowledge-bases")).json()["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": "a", "content": "YQ=="},
        {"text": ""},
        {"content": "not base64!"},
        {"content": "YQ=="[:-1]},
        {"content": "Y\nQ=="},
        {"content": "🧭"},
        {"content": base64.b64encode(bytes(MAX_SAMPLE_BYTES + 1)).decode()},
        {"text": "a", "name": "../a.md"},
        {"text": "a", "chunking": {"strategy": "guess"}},
        {"text": "a", "chunking": {"max_tokens": 20, "overlap_tokens": 20}},
        {"text": "a", "kb_id": "kb_00000000000000000000000000"},
    ],
    ids=lambda body: repr(body)[:60],
)
async def test_unfit_body_is_refused(acme, body):
    assert problem_of(await preview(acme, **body)) == (422, "invalid-request")


async def test_body_beyond_any_sample_is_refused_unread(acme):
    assert problem_of(await preview(acme, text="x" * (2 * 1024 * 1024))) == (413, "body-too-large")
