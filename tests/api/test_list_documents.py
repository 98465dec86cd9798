"""list_documents."""

import pytest

from tests.api.tenants import problem_of


async def listed(tenant, base, **query):
    response = await tenant.send("GET", f"/knowledge-bases/{base}/documents", params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def test_every_document_is_listed_once_over_all_pages(acme):
    base = await acme.create_base()
    made = {(await acme.promise(base, f"{number}.md"))["document_id"] for number in range(7)}

    seen, token = [], None
    while True:
        body = await listed(acme, base, limit=3, **({"page_token": token} if token else {}))
        seen += [item["id"] for item in body["items"]]
        token = body.get("next_page_token")
        if token is None:
            break

    assert len(seen) == 7
    assert set(seen) == made


async def test_filters_by_status_and_name(acme):
    base = await acme.create_base()
    ready = await acme.publish(base, "terms-2026.md", "Thirty days.")
    waiting = (await acme.promise(base, "terms-2027.md"))["document_id"]
    await acme.promise(base, "letter.md")

    assert [item["id"] for item in (await listed(acme, base, status="ready"))["items"]] == [ready]
    by_name = {item["id"] for item in (await listed(acme, base, name_prefix="terms"))["items"]}
    assert by_name == {ready, waiting}
    both = (await listed(acme, base, name_prefix="terms", status="processing"))["items"]
    assert [item["id"] for item in both] == [waiting]


async def test_deleted_documents_are_listed_only_by_their_status(acme):
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", "Thirty days.")
    await acme.send("DELETE", f"/knowledge-bases/{base}/documents/{document}")

    assert (await listed(acme, base))["items"] == []
    deleted = (await listed(acme, base, status="deleted"))["items"]
    assert [(item["id"], item["status"]) for item in deleted] == [(document, "deleted")]
    assert "live" not in deleted[0]


async def test_page_token_belongs_to_its_filters(acme):
    base = await acme.create_base()
    for number in range(2):
        await acme.promise(base, f"{number}.md")
    token = (await listed(acme, base, limit=1))["next_page_token"]

    response = await acme.send(
        "GET", f"/knowledge-bases/{base}/documents", params={"page_token": token, "status": "ready"}
    )

    assert problem_of(response) == (422, "invalid-page-token")


@pytest.mark.parametrize("query", [{"status": "done"}, {"limit": 0}, {"name_prefix": ""}], ids=repr)
async def test_unfit_query_is_refused(acme, query):
    base = await acme.create_base()

    response = await acme.send("GET", f"/knowledge-bases/{base}/documents", params=query)

    assert problem_of(response) == (422, "invalid-request")
