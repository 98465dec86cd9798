"""get_document."""

from dataclasses import replace

from shared.identity.permissions import Role
from shared.tenancy.plans import STARTER
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


async def test_a_queued_document_says_how_many_wait_before_it(acme):
    base = await acme.create_base()
    one_at_once = replace(STARTER, concurrent_documents=1)
    dropped = [await acme.drop(base, name, f"Notice {name}.", one_at_once) for name in "abc"]

    bodies = [(await get(acme, base, document.document_id)).json() for document in dropped]
    listed = (await acme.send("GET", f"/knowledge-bases/{base}/documents")).json()["items"]

    assert [body["stage"] for body in bodies] == ["accepted", "queued", "queued"]
    assert [body.get("documents_ahead") for body in bodies] == [None, 0, 1]
    assert [body["status"] for body in bodies] == ["processing"] * 3
    assert "eta_s" not in bodies[1], "nobody knows when it begins"
    assert {item["id"]: item.get("documents_ahead") for item in listed} == {
        body["id"]: body.get("documents_ahead") for body in bodies
    }


async def test_unknown_and_deleted_documents_look_alike(acme):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")
    await acme.send("DELETE", f"/knowledge-bases/{base}/documents/{document}")

    deleted = await get(acme, base, document)
    unknown = await get(acme, base, "doc_00000000000000000000000000")

    assert problem_of(deleted) == problem_of(unknown) == (404, "document-not-found")
    assert deleted.json()["detail"] == unknown.json()["detail"]
