"""delete_document."""

import hashlib

from shared.operations.capabilities import UPLOADS
from tests.api.tenants import problem_of

CONTENT = "The notice period is 30 days."


async def delete(tenant, base, document):
    return await tenant.send("DELETE", f"/knowledge-bases/{base}/documents/{document}")


async def test_no_path_serves_a_deleted_document(acme):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", CONTENT)

    response = await delete(acme, base, document)

    assert (response.status_code, response.content) == (204, b"")
    for path in ("", "/text", "/download"):
        found = await acme.send("GET", f"/knowledge-bases/{base}/documents/{document}{path}")
        assert problem_of(found) == (404, "document-not-found")
    assert (await acme.send("GET", f"/knowledge-bases/{base}")).json()["document_count"] == 0
    assert problem_of(await delete(acme, base, document)) == (404, "document-not-found")


async def test_object_gets_a_delete_marker(acme, cloud):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", CONTENT)
    key = (await acme.record(base, document)).key

    await delete(acme, base, document)

    listed = cloud.s3.list_objects_v2(Bucket=cloud.address_of(UPLOADS), Prefix=key)
    assert listed["KeyCount"] == 0


async def test_content_of_a_deleted_document_may_come_again(acme):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", CONTENT)

    await delete(acme, base, document)

    await acme.promise(base, "again.md", sha256=hashlib.sha256(CONTENT.encode()).hexdigest())


async def test_promise_can_be_deleted_before_its_file_arrives(acme):
    base = await acme.create_base()
    created = await acme.promise(base)

    assert (await delete(acme, base, created["document_id"])).status_code == 204
