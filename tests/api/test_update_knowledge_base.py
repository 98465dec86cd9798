"""update_knowledge_base."""

import asyncio

import pytest

from shared.operations.capabilities import REINDEX_QUEUE
from tests.api.cloud import messages_in
from tests.api.tenants import problem_of


async def change(owner, base, **body):
    return await owner.send("PATCH", f"/knowledge-bases/{base}", json=body)


async def test_what_is_absent_stays(acme):
    base = await acme.create_base(
        name="Before", description="Kept.", config={"vector_weight": 0.1, "metadata_fields": {"year": "number"}}
    )

    body = (await change(acme, base, name="After", config={"vector_weight": 0.9})).json()

    assert (body["name"], body["description"]) == ("After", "Kept.")
    assert body["config"]["vector_weight"] == 0.9
    assert body["config"]["metadata_fields"] == {"year": "number"}
    assert body["reindexing"] is False
    assert (await acme.send("GET", f"/knowledge-bases/{base}")).json() == body


async def test_other_chunking_is_said_to_need_a_reindex_and_starts_it(acme, cloud):
    base = await acme.create_base()
    messages_in(cloud, REINDEX_QUEUE)

    body = (await change(acme, base, config={"chunking": {"strategy": "sentences"}})).json()

    assert body["reindexing"] is True
    assert body["status"] == "reindexing"
    assert body["config"]["chunking"]["strategy"] == "headings"
    assert body["upcoming_config"]["chunking"]["strategy"] == "sentences"
    assert [sent["kb_id"] for sent in messages_in(cloud, REINDEX_QUEUE)] == [base]


async def test_what_only_answers_read_takes_effect_at_once_even_during_a_reindex(acme):
    base = await acme.create_base()
    assert (await acme.send("GET", f"/knowledge-bases/{base}")).json()["config"]["minimum_confidence"] == 0.25

    await change(acme, base, config={"chunking": {"strategy": "sentences"}})
    body = (await change(acme, base, config={"minimum_confidence": 0.8})).json()

    assert body["reindexing"] is True
    assert body["config"]["minimum_confidence"] == body["upcoming_config"]["minimum_confidence"] == 0.8


async def test_second_reindex_waits_for_the_first(acme):
    base = await acme.create_base()
    await change(acme, base, config={"chunking": {"strategy": "sentences"}})

    response = await change(acme, base, config={"chunking": {"strategy": "tokens"}})
    other_change = await change(acme, base, config={"vector_weight": 0.2})

    assert problem_of(response) == (409, "knowledge-base-reindexing")
    assert other_change.status_code == 200
    assert other_change.json()["upcoming_config"]["chunking"]["strategy"] == "sentences"
    assert other_change.json()["config"]["vector_weight"] == 0.2


async def test_changes_at_the_same_time_are_all_kept(acme):
    base = await acme.create_base()

    await asyncio.gather(
        change(acme, base, name="Renamed"),
        change(acme, base, description="Described."),
        change(acme, base, document_limit=3),
        change(acme, base, config={"vector_weight": 0.3}),
        change(acme, base, config={"metadata_fields": {"year": "number"}}),
    )

    body = (await acme.send("GET", f"/knowledge-bases/{base}")).json()
    assert (body["name"], body["description"], body["document_limit"]) == ("Renamed", "Described.", 3)
    assert (body["config"]["vector_weight"], body["config"]["metadata_fields"]) == (0.3, {"year": "number"})


async def test_field_keeps_its_type(acme):
    base = await acme.create_base(config={"metadata_fields": {"year": "number"}})

    response = await change(acme, base, config={"metadata_fields": {"year": "text"}})

    assert problem_of(response) == (422, "invalid-configuration")


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"document_limit": -1},
        {"tenant": "globex"},
        {"config": {"role": "owner"}},
        {"config": {"minimum_confidence": 1.01}},
    ],
    ids=repr,
)
async def test_unfit_body_is_refused(acme, body):
    base = await acme.create_base()

    assert problem_of(await change(acme, base, **body)) == (422, "invalid-request")
