"""Answers: quotations to the letter, or none."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.answers.confidence import Outcome, outcome_of
from shared.answers.memory import RememberedSentences, RememberedTexts
from shared.answers.query import AnswerQuery
from shared.answers.service import AnswerService
from shared.documents.canonical import CanonicalText, Page
from shared.kernel.ids import TenantId
from shared.retrieval.query import InvalidQueryError
from tests.ambient import looking_on
from tests.unit.answers.parts import ACME, KB, FindsAll, SentenceWords, Settled, TextsInMemory, hit, plain
from tests.unit.retrieval.memory import WordEmbedder, document

TERMS = "The tenancy ends in writing. The notice period is 30 days. Keys are handed back."
MENU = "Soup of the day. It is served at noon."
NOTICE = AnswerQuery("What is the notice period?")


def service(hits, texts, embedder=None, settings=None) -> AnswerService:
    return AnswerService(FindsAll(hits), TextsInMemory(texts), embedder or SentenceWords(), settings or Settled())


def both(embedder=None, settings=None) -> AnswerService:
    texts = {document(1): plain(TERMS), document(2): plain(MENU)}
    return service([hit(1, TERMS), hit(2, MENU)], texts, embedder, settings)


async def test_the_best_sentence_is_quoted_where_it_stands():
    answer = await both().answer(ACME, KB, NOTICE)

    best = answer.citations[0]
    assert answer.outcome is Outcome.ANSWERED
    assert best.quote.startswith("The notice period is 30 days.")
    assert TERMS[best.start : best.end] == best.quote
    assert (TERMS[: best.start][-160:], TERMS[best.end :][:160]) == (best.before, best.after)


async def test_the_same_question_gets_the_same_answer():
    first, second = [await both().answer(ACME, KB, NOTICE) for _ in range(2)]

    assert replace(first, timings_ms={}) == replace(second, timings_ms={})


async def test_what_is_not_there_is_not_answered():
    answer = await both().answer(ACME, KB, AnswerQuery("Who painted Guernica?"))

    assert (answer.outcome, answer.citations, answer.text) == (Outcome.NO_EVIDENCE, (), "")
    assert answer.near_misses
    assert answer.signals is not None


async def test_nothing_found_is_no_evidence():
    answer = await service([], {}).answer(ACME, KB, NOTICE)

    assert (answer.outcome, answer.confidence, answer.signals) == (Outcome.NO_EVIDENCE, 0, None)


async def test_a_missing_text_means_not_live():
    answer = await service([hit(1, TERMS)], {}).answer(ACME, KB, NOTICE)

    assert (answer.outcome, answer.near_misses) == (Outcome.NO_EVIDENCE, ())


async def test_a_chunk_that_its_text_does_not_hold_is_not_quoted():
    shifted = plain("x" + TERMS)

    answer = await service([hit(1, TERMS)], {document(1): shifted}).answer(ACME, KB, NOTICE)

    assert (answer.citations, answer.near_misses) == ((), ())


async def test_copies_of_a_chunk_are_read_once():
    copies = [hit(number, TERMS) for number in range(1, 5)]
    other = "The notice period for tools is 10 days."
    texts = {found.document_id: plain(TERMS) for found in copies} | {document(9): plain(other)}

    answer = await service([*copies, hit(9, other)], texts).answer(ACME, KB, NOTICE)

    quotes = [citation.quote for citation in answer.citations]
    assert len(quotes) == len(set(quotes))
    assert other in quotes


async def test_the_page_is_that_of_the_beginning():
    pages = (Page(1, 0, 29), Page(2, 29, len(TERMS)))
    text = CanonicalText(TERMS, "pdf", pages=pages)

    answer = await service([hit(1, TERMS)], {document(1): text}).answer(
        ACME, KB, AnswerQuery("What is the notice period?", sentences=1)
    )

    assert [citation.page for citation in answer.citations] == [2]


async def test_a_degraded_search_is_told():
    searches = FindsAll([hit(1, TERMS)], degraded=("keyword",))

    answer = await AnswerService(
        searches, TextsInMemory({document(1): plain(TERMS)}), SentenceWords(), Settled()
    ).answer(ACME, KB, NOTICE)

    assert answer.degraded == ("keyword",)


async def test_a_question_has_one_to_five_sentences_to_be_answered_in():
    for sentences in (0, 6):
        with pytest.raises(InvalidQueryError):
            AnswerQuery("notice?", sentences=sentences)


async def test_below_the_minimum_of_the_base_there_is_no_evidence():
    confidence = (await both().answer(ACME, KB, NOTICE)).confidence

    just_enough = await both(settings=Settled(confidence)).answer(ACME, KB, NOTICE)
    too_little = await both(settings=Settled(confidence + 1e-6)).answer(ACME, KB, NOTICE)

    assert just_enough.outcome is Outcome.ANSWERED
    assert (too_little.outcome, too_little.citations, too_little.text) == (Outcome.NO_EVIDENCE, (), "")
    assert too_little.near_misses
    assert too_little.confidence == just_enough.confidence == confidence


async def test_a_question_that_names_its_minimum_has_that_one():
    settings = Settled(1.0)

    answer = await both(settings=settings).answer(ACME, KB, replace(NOTICE, minimum_confidence=0.0))

    assert answer.outcome is Outcome.ANSWERED
    assert settings.asked == 0


@pytest.mark.parametrize(
    ("confidence", "minimum", "outcome"),
    [(0.6, 0.25, "answered"), (0.4, 0.25, "partial"), (0.2, 0.25, "no_evidence"), (0.2, 0.1, "partial"),
     (0.6, 0.7, "no_evidence"), (0.0, 0.0, "partial"), (1.0, 1.0, "answered")],
)  # fmt: skip
def test_the_minimum_decides_where_evidence_begins_and_never_what_counts_as_answered(confidence, minimum, outcome):
    assert outcome_of(confidence, minimum) == outcome


async def test_a_minimum_lies_between_0_and_1():
    for minimum in (-0.1, 1.1, float("nan")):
        with pytest.raises(InvalidQueryError):
            AnswerQuery("notice?", minimum_confidence=minimum)


WORDS = st.sampled_from(
    ["notice", "period", "days", "30", "Is", "the", "🧭", ".", "!", "\n", "\n\n", " ", "…", "é", "期"]
)


@given(st.lists(st.lists(WORDS, min_size=1, max_size=60).map(" ".join), min_size=1, max_size=4), st.data())
async def test_every_citation_is_what_stands_at_its_span(texts, data):
    """Invariant 5: a citation is a fact."""
    stored = {document(number): plain(text) for number, text in enumerate(texts)}
    hits = []
    for number, text in enumerate(texts):
        start = data.draw(st.integers(0, len(text) - 1))
        hits.append(hit(number, text, start, data.draw(st.integers(start + 1, len(text)))))

    answer = await service(hits, stored).answer(ACME, KB, NOTICE)

    for citation in (*answer.citations, *answer.near_misses):
        text = stored[citation.document_id].text
        assert citation.quote
        assert text[citation.start : citation.end] == citation.quote
        assert text[: citation.start].endswith(citation.before)
        assert text[citation.end :].startswith(citation.after)
    assert answer.text == "\n".join(citation.quote for citation in answer.citations)


async def test_remembered_texts_are_asked_for_once_and_forgotten_in_time():
    stored = TextsInMemory({document(1): plain("a" * 60), document(2): plain("b" * 60)})
    remembered = RememberedTexts(stored, most_characters=100)

    with looking_on():
        for number in (1, 1, 2, 1):
            assert await remembered.get_text(ACME, KB, document(number), 1) == stored.texts[document(number)]
        assert await remembered.get_text(ACME, KB, document(3), 1) is None

    assert stored.asked == 4


async def test_remembered_sentences_are_embedded_once_per_tenant():
    embedder = WordEmbedder()
    remembered = RememberedSentences(embedder, most_vectors=3)

    with looking_on():
        first = await remembered.embed(ACME, ["one", "two", "one"])
        again = await remembered.embed(ACME, ["two", "one"])
        await remembered.embed(TenantId("globex"), ["one"])

    assert (first[[1, 0]] == again).all()
    assert embedder.asked == ["one", "two", "one"]


async def test_while_the_embedder_is_down_words_alone_find_the_sentence_and_the_answer_says_so():
    answer = await both(SentenceWords(is_down=True)).answer(ACME, KB, NOTICE)

    assert answer.degraded == ("embedder",)
    assert answer.outcome is Outcome.PARTIAL
    assert answer.citations[0].quote.startswith("The notice period is 30 days.")


async def test_while_the_embedder_is_down_the_minimum_still_holds():
    answer = await both(SentenceWords(is_down=True), Settled(1.0)).answer(ACME, KB, NOTICE)

    assert (answer.outcome, answer.degraded) == (Outcome.NO_EVIDENCE, ("embedder",))
    assert answer.near_misses


async def test_an_embedder_that_fails_otherwise_is_the_callers_to_see():
    class Broken(SentenceWords):
        async def embed(self, tenant, texts):
            raise RuntimeError("a defect")

    with pytest.raises(RuntimeError):
        await both(Broken()).answer(ACME, KB, NOTICE)
