"""retry_document."""

from shared.operations.capabilities import PARSE_QUEUE
from tests.api.cloud import messages_in
from tests.api.tenants import problem_of


async def retry(tenant, base, document):
    return await tenant.send("POST", f"/knowledge-bases/{base}/documents/{document}/retry")


async def test_cancelled_document_starts_anew_as_a_new_generation(acme, cloud):
    base = await acme.create_base()
    document = (await acme.drop(base, "terms.md", "The notice period is 30 days.")).document_id
    await acme.send("POST", f"/knowledge-bases/{base}/documents/{document}/cancel")
    messages_in(cloud, PARSE_QUEUE)

    response = await retry(acme, base, document)

    assert response.status_code == 202
    assert (response.json()["status"], response.json()["attempt"]) == ("processing", 1)
    sent = messages_in(cloud, PARSE_QUEUE)
    assert [(message["document_id"], message["generation"]) for message in sent] == [(document, 2)]


async def test_ready_document_has_nothing_to_retry(acme):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")

    assert problem_of(await retry(acme, base, document)) == (409, "nothing-to-retry")


async def test_promise_without_a_file_has_nothing_to_retry(acme):
    base = await acme.create_base()
    created = await acme.promise(base)
    await acme.send("POST", f"/knowledge-bases/{base}/documents/{created['document_id']}/cancel")

    assert problem_of(await retry(acme, base, created["document_id"])) == (409, "nothing-to-retry")
