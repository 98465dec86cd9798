"""delete_knowledge_base."""

from shared.operations.capabilities import SWEEP_QUEUE
from tests.api.cloud import messages_in
from tests.api.tenants import problem_of


async def test_nothing_of_a_deleted_base_is_found_from_then_on(acme, cloud):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")

    response = await acme.send("DELETE", f"/knowledge-bases/{base}")

    assert (response.status_code, response.content) == (204, b"")
    for path in ("", "/documents", f"/documents/{document}", f"/documents/{document}/text"):
        found = await acme.send("GET", f"/knowledge-bases/{base}{path}")
        assert problem_of(found) == (404, "knowledge-base-not-found")
    assert problem_of(await acme.send("DELETE", f"/knowledge-bases/{base}")) == (404, "knowledge-base-not-found")


async def test_sweep_is_ordered(acme, cloud):
    base = await acme.create_base()
    messages_in(cloud, SWEEP_QUEUE)

    await acme.send("DELETE", f"/knowledge-bases/{base}")

    swept = messages_in(cloud, SWEEP_QUEUE)
    assert [(sent["tenant"], sent["kb_id"], sent["kind"]) for sent in swept] == [(acme.id, base, "knowledge-base")]
