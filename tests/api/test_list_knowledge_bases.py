"""list_knowledge_bases."""

import pytest

from tests.api.tenants import problem_of


async def test_pages_follow_each_other_in_the_order_of_creation(acme, globex):
    bases = [await acme.create_base(name=f"Base {number}") for number in range(5)]
    await globex.create_base()

    seen, token, pages = [], None, 0
    while pages == 0 or token is not None:
        query = {"limit": "2", **({"page_token": token} if token else {})}
        body = (await acme.send("GET", "/knowledge-bases", params=query)).json()
        seen += [item["id"] for item in body["items"]]
        token = body.get("next_page_token")
        pages += 1

    assert seen == bases
    assert pages == 3


async def test_last_full_page_has_no_token(acme):
    for number in range(2):
        await acme.create_base(name=f"Base {number}")

    body = (await acme.send("GET", "/knowledge-bases", params={"limit": 2})).json()

    assert len(body["items"]) == 2
    assert "next_page_token" not in body


async def test_deleted_bases_are_not_listed(acme):
    kept, gone = await acme.create_base(name="Kept"), await acme.create_base(name="Gone")
    await acme.send("DELETE", f"/knowledge-bases/{gone}")

    body = (await acme.send("GET", "/knowledge-bases")).json()

    assert [item["id"] for item in body["items"]] == [kept]


async def test_page_token_of_another_tenant_is_refused(acme, globex):
    for number in range(2):
        await acme.create_base(name=f"Base {number}")
    token = (await acme.send("GET", "/knowledge-bases", params={"limit": 1})).json()["next_page_token"]

    response = await globex.send("GET", "/knowledge-bases", params={"page_token": token})

    assert problem_of(response) == (422, "invalid-page-token")


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"limit": "all"}, {"page_token": "a.b"}], ids=repr)
async def test_unfit_query_is_refused(acme, query):
    assert problem_of(await acme.send("GET", "/knowledge-bases", params=query)) == (422, "invalid-request")
