"""get_document."""

from shared.identity.permissions import Role
from tests.api.tenants import problem_of


async def get(tenant, base, document, role=Role.VIEWER):
    return await tenant.send("GET", f"/knowledge-bases/{base}/documents/{document}", role)


async def test_ready_document_says_what_is_served(acme):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")

    body = (await get(acme, base, document)).json()

    assert (body["status"], body["stage"], body["name"]) == ("ready", "done", "terms.md")
    assert (body["live"]["generation"], body["live"]["format"], body["live"]["size_bytes"]) == (1, "md", 29)
    assert body["counts"] == {"pages": 1, "chunks": 1}
    assert (body["attempt"], body["max_attempts"]) == (1, 3)
    assert "eta_s" not in body
    assert "reason" not in body


async def test_replacement_under_way_leaves_the_previous_version_live(acme):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")

    await acme.drop(base, "terms.md", "The notice period is sixty days.")

    body = (await get(acme, base, document)).json()
    assert (body["status"], body["stage"]) == ("processing", "accepted")
    assert (body["live"]["generation"], body["live"]["size_bytes"], body["size_bytes"]) == (1, 29, 32)
    assert body["eta_s"] >= 1


async def test_unknown_and_deleted_documents_look_alike(acme):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")
    await acme.send("DELETE", f"/knowledge-bases/{base}/documents/{document}")

    deleted = await get(acme, base, document)
    unknown = await get(acme, base, "doc_00000000000000000000000000")

    assert problem_of(deleted) == problem_of(unknown) == (404, "document-not-found")
    assert deleted.json()["detail"] == unknown.json()["detail"]
