"""search_knowledge_base."""

import pytest

from shared.identity.permissions import Role
from tests.api.tenants import problem_of

FIELDS = {"metadata_fields": {"team": "text", "year": "number"}}


async def search(tenant, base, query, /, **body):
    return await tenant.send("POST", f"/knowledge-bases/{base}/search", Role.VIEWER, json={"query": query} | body)


async def hits(tenant, base, query, /, **body):
    response = await search(tenant, base, query, **body)
    assert response.status_code == 200, response.text
    return response.json()["hits"]


@pytest.mark.parametrize("mode", ["keyword", "vector", "hybrid"])
async def test_hits_say_where_they_stand_and_why_they_were_found(acme, publish, mode):
    base = await acme.create_base()
    text = "The notice period 🧭 is 30 days."
    document = await publish(acme, base, "terms.md", text)
    await publish(acme, base, "menu.md", "Soup of the day.")

    body = (await search(acme, base, "notice periods", mode=mode)).json()

    best = body["hits"][0]
    assert (best["document_id"], best["generation"], best["text"]) == (document, 1, text)
    assert text[best["start"] : best["end"]] == best["text"]
    assert [text[mark["start"] : mark["end"]] for mark in best["highlights"]] == ["notice", "period"]
    asked = {"keyword": {"keyword"}, "vector": {"vector"}, "hybrid": {"keyword", "vector"}}[mode]
    assert best["scores"].keys() == asked
    assert body["degraded"] == []
    assert body["timings_ms"].keys() >= {"scope", "verify", "total", *asked}


async def test_replaced_and_deleted_content_is_not_found(acme, publish):
    base = await acme.create_base()
    await publish(acme, base, "terms.md", "The notice period is 30 days.")
    await publish(acme, base, "terms.md", "The notice period is 60 days.")
    gone = await publish(acme, base, "old.md", "The notice period is 90 days.")
    await acme.send("DELETE", f"/knowledge-bases/{base}/documents/{gone}")

    found = await hits(acme, base, "notice period")

    assert [hit["text"] for hit in found] == ["The notice period is 60 days."]


async def test_pages_follow_one_another(acme, publish):
    base = await acme.create_base()
    for number in range(5):
        await publish(acme, base, f"{number}.md", f"Notice {'period ' * number}{number}")

    seen, token = [], None
    while True:
        body = (await search(acme, base, "notice period", limit=2, **({"page_token": token} if token else {}))).json()
        seen += [hit["text"] for hit in body["hits"]]
        token = body.get("next_page_token")
        if token is None:
            break

    assert len(seen) == len(set(seen)) == 5


async def test_filters_narrow_what_is_searched(acme, publish):
    base = await acme.create_base(config=FIELDS)
    await publish(acme, base, "a.md", "Notice of a strike.", team="legal", year=2024.0)
    await publish(acme, base, "b.md", "Notice of a meeting.", team="legal", year=2026.0)
    await publish(acme, base, "c.md", "Notice of a party.")

    async def found(*filters):
        return {hit["title"] for hit in await hits(acme, base, "notice", filters=list(filters))}

    assert await found({"field": "team", "equals": "legal"}) == {"a.md", "b.md"}
    assert await found({"field": "year", "in": [2023, 2024]}) == {"a.md"}
    assert await found({"field": "year", "at_least": 2025, "at_most": 2026}) == {"b.md"}
    assert await found({"field": "year", "exists": False}) == {"c.md"}
    assert await found({"field": "team", "equals": "legal"}, {"field": "year", "at_most": 2024}) == {"a.md"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"filters": [{"field": "tenant", "equals": "globex"}]}, "invalid-filter"),
        ({"filters": [{"field": "team"}]}, "invalid-filter"),
        ({"filters": [{"field": "year", "equals": "many"}]}, "invalid-metadata-field"),
        ({"page_token": "bm9uc2Vuc2U"}, "invalid-page-token"),
        ({"tenant": "globex"}, "invalid-request"),
        ({"limit": 101}, "invalid-request"),
        ({"query": ""}, "invalid-request"),
        ({"query": " "}, "invalid-query"),
        ({"vector_weight": 2}, "invalid-request"),
        ({"mode": "telepathy"}, "invalid-request"),
    ],
)
async def test_what_cannot_be_searched_is_refused(acme, body, code):
    base = await acme.create_base(config=FIELDS)

    response = await search(acme, base, "notice", **body)

    assert problem_of(response) == (422, code)


@pytest.mark.parametrize("query", ["???", "to be or not to be", "' OR 1=1 --", '"AND" * NEAR(', "\u0000", "🧭" * 500])
async def test_odd_queries_are_only_queries(acme, publish, query):
    base = await acme.create_base()
    await publish(acme, base, "terms.md", "The notice period is 30 days.")

    assert len(await hits(acme, base, query)) == 1


async def test_half_a_character_is_refused(acme):
    base = await acme.create_base()

    response = await acme.send(
        "POST",
        f"/knowledge-bases/{base}/search",
        content=rb'{"query": "half \ud83d"}',
        headers={"content-type": "application/json"},
    )

    assert response.status_code == 422


async def test_an_empty_base_answers_with_nothing(acme):
    base = await acme.create_base()

    assert await hits(acme, base, "notice") == []


async def test_base_of_another_tenant_looks_missing(acme, globex, publish):
    base = await acme.create_base()
    await publish(acme, base, "terms.md", "The notice period is 30 days.")

    assert problem_of(await search(globex, base, "notice")) == (404, "knowledge-base-not-found")
