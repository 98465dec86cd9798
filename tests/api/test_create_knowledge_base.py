"""create_knowledge_base."""

import asyncio

import pytest

from tests.api.tenants import problem_of


async def test_name_alone_is_enough(acme):
    response = await acme.send("POST", "/knowledge-bases", json={"name": "  Policies "})

    assert response.status_code == 201
    body = response.json()
    assert body["id"].startswith("kb_")
    assert (body["name"], body["description"], body["status"]) == ("Policies", "", "active")
    assert (body["reindexing"], body["document_limit"], body["document_count"]) == (False, 100_000, 0)
    assert body["config"]["chunking"]["strategy"] == "headings"
    assert "upcoming_config" not in body


async def test_configuration_is_kept(acme):
    config = {
        "chunking": {"strategy": "sentences", "max_tokens": 128},
        "vector_weight": 0.25,
        "metadata_fields": {"year": "number", "author": "text"},
    }

    base = await acme.create_base(config=config, description="All we promised.", document_limit=7)

    body = (await acme.send("GET", f"/knowledge-bases/{base}")).json()
    assert body["config"]["chunking"]["strategy"] == "sentences"
    assert body["config"]["chunking"]["max_tokens"] == 128
    assert body["config"]["vector_weight"] == 0.25
    assert body["config"]["metadata_fields"] == {"year": "number", "author": "text"}
    assert (body["description"], body["document_limit"]) == ("All we promised.", 7)


async def test_numbers_of_any_size_are_kept(acme):
    config = {"vector_weight": 1.6155911017826633e-179, "metadata_fields": {"mass": "number"}}

    base = await acme.create_base(config=config)
    document = (await acme.promise(base, metadata={"mass": -1e300}))["document_id"]

    assert (await acme.send("GET", f"/knowledge-bases/{base}")).json()["config"][
        "vector_weight"
    ] == 1.6155911017826633e-179
    shown = await acme.send("GET", f"/knowledge-bases/{base}/documents/{document}")
    assert shown.json()["metadata"] == {"mass": -1e300}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 101},
        {"name": "line\nfeed"},
        {"name": "turned\u202earound"},
        {"name": "A", "document_limit": 0},
        {"name": "A", "document_limit": 100_001},
        {"name": "A", "config": {"vector_weight": 1.5}},
        {"name": "A", "config": {"chunking": {"strategy": "guess"}}},
        {"name": "A", "config": {"chunking": {"max_tokens": 3}}},
        {"name": "A", "config": {"metadata_fields": {"_tenant": "text"}}},
        {"name": "A", "config": {"metadata_fields": {"year": "integer"}}},
        {"name": "A", "config": {"embedding_model": "other"}},
        {"name": "A", "tenant": "globex"},
        {"name": "A", "role": "owner"},
        {"name": "A", "config": {"tenant": "globex"}},
        {"name": "A", "id": "kb_00000000000000000000000000"},
        [],
        "A",
    ],
    ids=repr,
)
async def test_unfit_body_is_refused(acme, body):
    response = await acme.send("POST", "/knowledge-bases", json=body)

    assert problem_of(response) == (422, "invalid-request")
    assert response.json()["errors"]


async def test_repetition_with_the_same_key_creates_once(acme):
    async def create():
        return await acme.send("POST", "/knowledge-bases", json={"name": "Once"}, headers={"idempotency-key": "k-1"})

    responses = await asyncio.gather(*(create() for _ in range(4)))

    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["id"] for response in responses}) == 1
    assert len((await acme.send("GET", "/knowledge-bases")).json()["items"]) == 1


async def test_key_belongs_to_its_user_and_its_request(acme, globex):
    headers = {"idempotency-key": "k-1"}
    first = await acme.send("POST", "/knowledge-bases", json={"name": "One"}, headers=headers)

    changed = await acme.send("POST", "/knowledge-bases", json={"name": "Two"}, headers=headers)
    other_user = await acme.send("POST", "/knowledge-bases", json={"name": "One"}, headers=headers, user="bob")
    other_tenant = await globex.send("POST", "/knowledge-bases", json={"name": "One"}, headers=headers)

    assert problem_of(changed) == (422, "idempotency-key-reused")
    ids = {response.json()["id"] for response in (first, other_user, other_tenant)}
    assert len(ids) == 3


@pytest.mark.parametrize("key", ["", "two words", "x" * 129])
async def test_unfit_key_is_refused(acme, key):
    response = await acme.send("POST", "/knowledge-bases", json={"name": "A"}, headers={"idempotency-key": key})

    assert problem_of(response) == (422, "invalid-request")
