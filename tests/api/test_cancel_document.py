"""cancel_document."""

from tests.api.tenants import problem_of


async def cancel(tenant, base, document):
    return await tenant.send("POST", f"/knowledge-bases/{base}/documents/{document}/cancel")


async def test_promise_is_cancelled(acme):
    base = await acme.create_base()
    created = await acme.promise(base)

    response = await cancel(acme, base, created["document_id"])

    assert response.status_code == 200
    assert (response.json()["status"], response.json()["reason"]) == ("cancelled", "cancelled_by_request")


async def test_cancelled_replacement_leaves_the_previous_version_live(acme):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")
    await acme.drop(base, "terms.md", "The notice period is 60 days.")

    body = (await cancel(acme, base, document)).json()

    assert body["status"] == "cancelled"
    assert body["live"]["generation"] == 1


async def test_nothing_under_way_is_a_conflict(acme):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", "The notice period is 30 days.")

    assert problem_of(await cancel(acme, base, document)) == (409, "nothing-to-cancel")
