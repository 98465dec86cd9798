"""answer_question."""

from shared.identity.permissions import Role
from tests.api.tenants import problem_of

TEXT = "Terms of hire 🧭\n\nThe tenancy can be ended in writing. The notice period is 30 days. Keys are handed back."


async def ask(tenant, base, question, /, **body):
    return await tenant.send(
        "POST", f"/knowledge-bases/{base}/answers", Role.VIEWER, json={"question": question} | body
    )


async def answer(tenant, base, question, /, **body):
    response = await ask(tenant, base, question, **body)
    assert response.status_code == 200, response.text
    return response.json()


async def test_an_answer_is_made_of_quotations_that_anybody_can_check(acme, publish):
    base = await acme.create_base()
    document = await publish(acme, base, "terms.md", TEXT)
    await publish(acme, base, "menu.md", "Soup of the day. It is served at noon.")

    given = await answer(acme, base, "How long is the notice period?")

    best = given["citations"][0]
    assert given["outcome"] == "answered"
    assert (best["document_id"], best["generation"]) == (document, 1)
    assert "The notice period is 30 days." in best["quote"]
    for citation in given["citations"]:
        path = f"/knowledge-bases/{base}/documents/{citation['document_id']}/text"
        span = {"start": citation["start"], "end": citation["end"], "context": 160}
        there = (await acme.send("GET", path, Role.VIEWER, params=span)).json()
        assert (there["before"], there["quote"], there["after"]) == (
            citation["before"], citation["quote"], citation["after"],
        )  # fmt: skip
    assert given["text"] == "\n".join(citation["quote"] for citation in given["citations"])
    assert given["near_misses"] == []
    assert 0.5 <= given["confidence"] <= 1
    assert given["timings_ms"].keys() >= {"search", "read", "embed", "total"}


async def test_a_question_that_the_base_cannot_answer_is_not_answered(acme, publish):
    base = await acme.create_base()
    await publish(acme, base, "terms.md", TEXT)

    given = await answer(acme, base, "Who composed the opera about the flying Dutchman?")

    assert (given["outcome"], given["citations"], given["text"]) == ("no_evidence", [], "")
    assert given["near_misses"]
    assert all(miss["quote"] in TEXT for miss in given["near_misses"])


async def test_an_empty_base_has_no_evidence(acme):
    base = await acme.create_base()

    given = await answer(acme, base, "How long is the notice period?")

    assert (given["outcome"], given["confidence"], given["near_misses"]) == ("no_evidence", 0, [])


async def test_replaced_and_deleted_content_is_never_quoted(acme, publish):
    base = await acme.create_base()
    await publish(acme, base, "terms.md", "The notice period is 30 days.")
    await answer(acme, base, "How long is the notice period?")
    await publish(acme, base, "terms.md", "The notice period is 60 days.")
    gone = await publish(acme, base, "old.md", "The notice period is 90 days.")
    await answer(acme, base, "How long is the notice period?")
    await acme.send("DELETE", f"/knowledge-bases/{base}/documents/{gone}")

    given = await answer(acme, base, "How long is the notice period?")

    assert given["text"] == "The notice period is 60 days."


async def test_no_more_sentences_are_quoted_than_wanted(acme, publish):
    base = await acme.create_base()
    await publish(acme, base, "terms.md", "The notice period is 30 days. The notice period for tools is 10 days.")

    given = await answer(acme, base, "What is the notice period?", max_sentences=1)

    assert [citation["quote"] for citation in given["citations"]] == ["The notice period is 30 days."]


async def test_a_base_may_ask_for_more_confidence_and_a_question_for_less(acme, publish):
    base = await acme.create_base(config={"minimum_confidence": 1})
    await publish(acme, base, "terms.md", TEXT)

    strict = await answer(acme, base, "How long is the notice period?")
    lenient = await answer(acme, base, "How long is the notice period?", minimum_confidence=0.2)

    assert (strict["outcome"], strict["citations"]) == ("no_evidence", [])
    assert "The notice period is 30 days." in strict["near_misses"][0]["quote"]
    assert lenient["outcome"] == "answered"
    assert strict["confidence"] == lenient["confidence"]


async def test_filters_limit_what_is_quoted(acme, publish):
    base = await acme.create_base(config={"metadata_fields": {"year": "number"}})
    await publish(acme, base, "old.md", "The notice period was 30 days.", year=2001.0)
    await publish(acme, base, "new.md", "The notice period is 60 days.", year=2021.0)

    given = await answer(acme, base, "How long is the notice period?", filters=[{"field": "year", "at_least": 2020}])

    assert given["text"] == "The notice period is 60 days."


async def test_questions_that_nothing_can_answer_are_refused(acme):
    base = await acme.create_base()

    refused = [
        problem_of(await ask(acme, base, "")),
        problem_of(await ask(acme, base, "  ")),
        problem_of(await ask(acme, base, "notice?", max_sentences=9)),
        problem_of(await ask(acme, base, "notice?", minimum_confidence=1.5)),
        problem_of(await ask(acme, base, "notice?", tenant="globex")),
    ]

    assert [status for status, _ in refused] == [422] * 5


async def test_base_of_another_tenant_looks_missing(acme, globex):
    base = await acme.create_base()

    assert problem_of(await ask(globex, base, "notice?")) == (404, "knowledge-base-not-found")
