"""get_knowledge_base."""

from shared.identity.permissions import Role
from tests.api.tenants import problem_of

UNKNOWN = "kb_00000000000000000000000000"


async def test_documents_are_counted(acme):
    base = await acme.create_base()
    await acme.publish(base, "terms.md", "The notice period is 30 days.")
    await acme.promise(base, "letter.md")

    body = (await acme.send("GET", f"/knowledge-bases/{base}", Role.VIEWER)).json()

    assert body["id"] == base
    assert body["document_count"] == 2


async def test_unknown_base_is_missing(acme):
    assert problem_of(await acme.send("GET", f"/knowledge-bases/{UNKNOWN}")) == (404, "knowledge-base-not-found")


async def test_id_of_another_shape_is_refused(acme):
    assert problem_of(await acme.send("GET", "/knowledge-bases/policies")) == (422, "invalid-request")
