"""create_upload."""

import asyncio
import hashlib
from datetime import UTC, datetime

import httpx
import pytest

from shared.operations.capabilities import UPLOADS
from tests.api.tenants import problem_of

CONTENT = b"The notice period is 30 days."
SHA256 = hashlib.sha256(CONTENT).hexdigest()


async def send_file(created, content=CONTENT):
    """Fill the form as a browser would, over the network and without our API."""
    async with httpx.AsyncClient() as browser:
        return await browser.post(created["url"], data=created["fields"], files={"file": ("any", content)})


async def test_answer_names_document_and_task_at_once(acme):
    base = await acme.create_base()

    created = await acme.promise(base, "terms.md")

    assert created["document_id"].startswith("doc_")
    assert created["task_id"].startswith("task_")
    assert created["status"] == "processing"
    assert datetime.fromisoformat(created["expires_at"]) > datetime.now(UTC)
    shown = (await acme.send("GET", f"/knowledge-bases/{base}/documents/{created['document_id']}")).json()
    assert (shown["status"], shown["stage"], shown["name"]) == ("processing", "awaiting_upload", "terms.md")


async def test_form_fills_exactly_the_promised_key(acme, cloud):
    base = await acme.create_base()
    created = await acme.promise(base, "terms.md")

    response = await send_file(created)

    assert response.status_code in (200, 204), response.text
    document = await acme.record(base, created["document_id"])
    assert document.key.startswith(f"t/{acme.id}/kb/{base}/u/")
    assert cloud.s3.get_object(Bucket=cloud.address_of(UPLOADS), Key=document.key)["Body"].read() == CONTENT


async def test_form_takes_no_empty_file(acme):
    base = await acme.create_base()

    response = await send_file(await acme.promise(base), content=b"")

    assert response.status_code >= 400


async def test_content_held_by_a_document_is_a_conflict_that_names_it(acme):
    base = await acme.create_base()
    existing = await acme.publish(base, "terms.md", CONTENT.decode())

    response = await acme.send("POST", f"/knowledge-bases/{base}/uploads", json={"name": "copy.md", "sha256": SHA256})

    assert problem_of(response) == (409, "duplicate-document")
    assert response.json()["facts"]["document_id"] == existing


async def test_same_content_in_another_base_is_welcome(acme):
    base, other = await acme.create_base(), await acme.create_base(name="Other")
    await acme.publish(base, "terms.md", CONTENT.decode())

    await acme.promise(other, "terms.md", sha256=SHA256)


async def test_document_limit_holds_even_at_the_same_time(acme):
    base = await acme.create_base(document_limit=3)

    responses = await asyncio.gather(
        *(acme.send("POST", f"/knowledge-bases/{base}/uploads", json={"name": f"{n}.md"}) for n in range(6))
    )

    codes = sorted(response.status_code for response in responses)
    assert codes == [201, 201, 201, 409, 409, 409]
    assert {problem_of(r)[1] for r in responses if r.status_code == 409} == {"document-limit-reached"}


async def test_repetition_with_the_same_key_answers_with_the_same_document(acme):
    base = await acme.create_base()
    path = f"/knowledge-bases/{base}/uploads"

    async def create(name="terms.md"):
        return await acme.send("POST", path, json={"name": name}, headers={"idempotency-key": "k-1"})

    responses = [*await asyncio.gather(create(), create(), create()), await create()]

    assert {response.status_code for response in responses} == {201}, [r.text for r in responses]
    assert len({response.json()["document_id"] for response in responses}) == 1
    assert (await acme.send("GET", f"/knowledge-bases/{base}")).json()["document_count"] == 1
    assert problem_of(await create("other.md")) == (422, "idempotency-key-reused")


async def test_repetition_works_after_the_content_arrived(acme):
    base = await acme.create_base()
    body = {"name": "terms.md", "sha256": SHA256}
    headers = {"idempotency-key": "k-1"}
    first = await acme.send("POST", f"/knowledge-bases/{base}/uploads", json=body, headers=headers)
    await send_file(first.json())

    again = await acme.send("POST", f"/knowledge-bases/{base}/uploads", json=body, headers=headers)

    assert again.json()["document_id"] == first.json()["document_id"]


async def test_metadata_is_checked_against_the_declared_fields(acme):
    base = await acme.create_base(config={"metadata_fields": {"year": "number", "valid_from": "moment"}})
    path = f"/knowledge-bases/{base}/uploads"

    created = await acme.promise(base, metadata={"year": 2026, "valid_from": "2026-01-01"})
    undeclared = await acme.send("POST", path, json={"name": "a.md", "metadata": {"colour": "red"}})
    mistyped = await acme.send("POST", path, json={"name": "a.md", "metadata": {"year": "MMXXVI"}})

    shown = (await acme.send("GET", f"/knowledge-bases/{base}/documents/{created['document_id']}")).json()
    assert shown["metadata"] == {"year": 2026.0, "valid_from": "2026-01-01T00:00:00.000Z"}
    assert problem_of(undeclared) == (422, "invalid-metadata")
    assert problem_of(mistyped) == (422, "invalid-metadata-field")


async def test_file_that_is_too_large_is_refused_before_it_is_sent(acme):
    base = await acme.create_base()

    response = await acme.send(
        "POST", f"/knowledge-bases/{base}/uploads", json={"name": "big.pdf", "size_bytes": 10**12}
    )

    assert problem_of(response) == (413, "document-too-large")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "../../other/terms.md"},
        {"name": "folder\\terms.md"},
        {"name": ".."},
        {"name": "${filename}"},
        {"name": "terms ${filename}"},
        {"name": "a\x00.md"},
        {"name": "gnp\u202e.md"},
        {"name": "🧭" * 200},
        {"name": "a.md", "sha256": "A" * 64},
        {"name": "a.md", "sha256": "ab"},
        {"name": "a.md", "content_type": "text"},
        {"name": "a.md", "content_type": "text/html\r\nx-amz-acl: public-read"},
        {"name": "a.md", "size_bytes": 0},
        {"name": "a.md", "tenant": "globex"},
        {"name": "a.md", "key": "t/globex/kb/x"},
        {"name": "a.md", "metadata": {"deep": {"er": 1}}},
    ],
    ids=repr,
)
async def test_unfit_body_is_refused(acme, body):
    base = await acme.create_base()

    response = await acme.send("POST", f"/knowledge-bases/{base}/uploads", json=body)

    assert problem_of(response) == (422, "invalid-request")
