"""`get_usage`, and the quotas that it shows, counted for whole organisations on the emulator's table."""

import asyncio

import pytest

from shared.identity.permissions import Role
from tests.api.tenants import problem_of
from tests.clocks import early_in_the_hour


@pytest.fixture(autouse=True)
async def _within_an_hour():
    await early_in_the_hour()


async def usage_of(tenant, role=Role.VIEWER):
    response = await tenant.send("GET", "/usage", role)
    assert response.status_code == 200, response.text
    return response.json()


async def test_usage_of_a_new_organisation(acme):
    usage = await usage_of(acme)

    calls = usage["quotas"]["api_calls_per_hour"]
    assert usage["quotas"].keys() == {"api_calls_per_hour", "vector_operations_per_minute", "tokens_per_day"}
    assert calls["used"] == 1
    assert calls["allowed"] == calls["limit"] * 120 // 100
    assert calls["remaining"] == calls["allowed"] - 1
    assert 0 < calls["reset_s"] <= 3600
    assert {name: held["used"] for name, held in usage["holdings"].items()} == {
        "knowledge_bases": 0, "storage_bytes": 0, "concurrent_documents": 0,
    }  # fmt: skip


async def test_everybody_of_an_organisation_counts_and_nobody_else(acme, globex):
    await asyncio.gather(*(acme.send("GET", "/knowledge-bases", user=f"user{number}@example") for number in range(5)))
    await acme.create_base()
    await globex.send("GET", "/knowledge-bases")

    usage = await usage_of(acme)

    assert usage["quotas"]["api_calls_per_hour"]["used"] == 7
    assert usage["holdings"]["knowledge_bases"]["used"] == 1


async def test_a_search_costs_the_tokens_of_its_query(acme, publish):
    base = await acme.create_base()
    await publish(acme, base, "terms.md", "The notice period is thirty days.")
    for _ in range(2):
        response = await acme.send("POST", f"/knowledge-bases/{base}/search", json={"query": "notice period"})
        assert response.status_code == 200, response.text

    assert (await usage_of(acme))["quotas"]["tokens_per_day"]["used"] == 4


async def test_searches_beyond_the_vector_operations_of_a_minute_are_refused(acme, grant):
    await grant(acme, vector_operations_per_minute=1)
    base = await acme.create_base()

    answers = [await acme.send("POST", f"/knowledge-bases/{base}/search", json={"query": "notice"}) for _ in range(3)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused  # of three, two at least fell into one minute
    assert {answer.json()["facts"]["what"] for answer in refused} == {"vector_operations_per_minute"}


async def test_an_answer_costs_the_tokens_of_its_question_and_not_of_what_it_quotes(acme, publish):
    base = await acme.create_base()
    await publish(acme, base, "terms.md", "The notice period is thirty days. " * 30)
    response = await acme.send("POST", f"/knowledge-bases/{base}/answers", json={"question": "How long is notice?"})
    assert response.status_code == 200, response.text

    assert (await usage_of(acme))["quotas"]["tokens_per_day"]["used"] == 5


@pytest.mark.parametrize("body", [{"query": "x" * 50, "limit": 0}, {"query": "notice", "mode": "keyword"}])
async def test_a_search_that_reads_nothing_costs_no_tokens(acme, body):
    base = await acme.create_base()
    await acme.send("POST", f"/knowledge-bases/{base}/search", json=body)

    assert (await usage_of(acme))["quotas"]["tokens_per_day"]["used"] == 0


async def test_a_search_beyond_the_tokens_of_the_day_is_refused_and_takes_nothing(acme, grant):
    await grant(acme, tokens_per_day=20)
    base = await acme.create_base()

    refused = await acme.send("POST", f"/knowledge-bases/{base}/search", json={"query": "notice " * 50})

    assert problem_of(refused) == (429, "quota-exhausted")
    assert refused.json()["facts"].keys() == {"what", "limit", "reset_s"}
    assert refused.json()["facts"]["what"] == "tokens_per_day"
    assert int(refused.headers["retry-after"]) == refused.json()["facts"]["reset_s"] <= 86_400
    usage = await usage_of(acme)
    assert usage["quotas"]["tokens_per_day"]["used"] == 0
    assert usage["quotas"]["vector_operations_per_minute"]["used"] == 0


@pytest.mark.timeout(120)
async def test_two_hundred_requests_at_once_against_a_quota_with_fifty_left(acme, grant):
    await grant(acme, api_calls_per_hour=100)  # and twenty more, after an hour without any
    people = [f"user{number}@example" for number in range(10)]
    first = [await acme.send("GET", "/knowledge-bases", user=people[0]) for _ in range(70)]
    assert {answer.status_code for answer in first} == {200}

    answers = await asyncio.gather(
        *(acme.send("GET", "/knowledge-bases", user=people[number % 10]) for number in range(200))
    )

    assert sorted(answer.status_code for answer in answers) == [200] * 50 + [429] * 150
    assert {problem_of(answer) for answer in answers if answer.status_code == 429} == {(429, "quota-exhausted")}
