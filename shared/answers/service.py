"""Answer with quotations: the best sentences of the best chunks, or the admission that there are none (K8)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.answers.calibration import CONFIDENCE, CONFIDENCE_OF_WORDS
from shared.answers.citations import Citation, cite
from shared.answers.confidence import EXPECTED_ANSWERABLE, Outcome, Signals, outcome_of
from shared.answers.evidence import (
    Evidence,
    TextKey,
    Texts,
    look_at_words,
    look_once,
    look_twice,
    read_passages,
    to_embed,
    without_copies,
)
from shared.answers.passages import Passage
from shared.answers.ports import AnswerSettings, CanonicalTexts, Searches, SentenceEmbedder
from shared.answers.query import AnswerQuery
from shared.answers.selection import joined, select
from shared.documents.canonical import CanonicalText
from shared.kernel.errors import TesseraError
from shared.kernel.ids import KnowledgeBaseId, TenantId
from shared.retrieval.legs import unless_unavailable
from shared.retrieval.search import RankedHit
from shared.retrieval.stages import Stages
from shared.telemetry.ports import Telemetry
from shared.telemetry.silent import SilentTelemetry

CHUNKS_FOUND: Final = 12
"""Hits asked for: more than are read, since copies of a better one are passed over."""

CHUNKS_READ: Final = 5

NEAR_MISSES: Final = 3

EMBEDDER: Final = "embedder"
"""In `degraded`: passages were weighed by their words alone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a knowledge base says to a question. `text` is nothing but the quotations, one per line.

    With `no_evidence` there are no citations; `near_misses` then are the passages that came closest. `confidence` is
    the probability that the evidence answers. `signals` is None when nothing at all was found.
    """

    outcome: Outcome
    confidence: float
    citations: tuple[Citation, ...]
    near_misses: tuple[Citation, ...]
    signals: Signals | None
    degraded: tuple[str, ...]
    timings_ms: Mapping[str, float]

    @property
    def text(self) -> str:
        return "\n".join(citation.quote for citation in self.citations)


class AnswerService:
    """Answers questions from knowledge bases."""

    def __init__(
        self,
        searches: Searches,
        texts: CanonicalTexts,
        embedder: SentenceEmbedder,
        settings: AnswerSettings,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._searches = searches
        self._texts = texts
        self._embedder = embedder
        self._settings = settings
        self._telemetry = telemetry or SilentTelemetry()

    async def answer(self, tenant: TenantId, kb_id: KnowledgeBaseId, query: AnswerQuery) -> Answer:
        """Answer `query` from what is live in the knowledge base now; while the embedder is down, by words alone.

        Raises: what the search raises; KnowledgeBaseNotFoundError.
        """
        stages = Stages()
        with stages.measured("total"):
            with stages.measured("search"):
                found, minimum = await asyncio.gather(
                    self._searches.search(tenant, kb_id, query.to_search(CHUNKS_FOUND)),
                    self._minimum_confidence(tenant, kb_id, query),
                )
            with stages.measured("read"):
                hits, texts = await self._readable(tenant, kb_id, found.hits)
            evidence = await self._weigh(tenant, query.question, hits, texts, stages)
            outcome, confidence = _judged(evidence, minimum)
            wanted = NEAR_MISSES if outcome is Outcome.NO_EVIDENCE else query.sentences
            citations = _citations(evidence, wanted, hits, texts)
        self._telemetry.duration("answer", stages.milliseconds["total"])
        self._telemetry.count(f"answer_{outcome}")
        return Answer(
            outcome,
            confidence,
            citations if outcome is not Outcome.NO_EVIDENCE else (),
            citations if outcome is Outcome.NO_EVIDENCE else (),
            None if evidence is None else evidence.signals,
            _degraded(found.degraded, evidence),
            stages.milliseconds,
        )

    async def _minimum_confidence(self, tenant: TenantId, kb_id: KnowledgeBaseId, query: AnswerQuery) -> float:
        if query.minimum_confidence is not None:
            return query.minimum_confidence
        return await self._settings.minimum_confidence(tenant, kb_id)

    async def _readable(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, hits: Sequence[RankedHit]
    ) -> tuple[list[RankedHit], dict[TextKey, CanonicalText]]:
        """Return the best distinct hits that stand in their text as the index has them; without a text none is live."""
        best = without_copies(hits)[:CHUNKS_READ]
        keys = list(dict.fromkeys((ranked.hit.document_id, ranked.hit.generation) for ranked in best))
        found = await asyncio.gather(*(self._texts.get_text(tenant, kb_id, *key) for key in keys))
        texts = {key: text for key, text in zip(keys, found, strict=True) if text is not None}
        readable = [ranked for ranked in best if _stands_in(ranked, texts)]
        if len(readable) < len(best):
            self._telemetry.count("answer_chunk_without_text", len(best) - len(readable))
        return readable, texts

    async def _weigh(
        self, tenant: TenantId, question: str, hits: Sequence[RankedHit], texts: Texts, stages: Stages
    ) -> Evidence | None:
        """Look twice at the passages of `hits`; None when there are none."""
        with stages.measured("first_look"):
            reading = read_passages(question, hits, texts)
            if not reading.passages:
                return None
            chosen = look_once(reading)
            asked = to_embed(reading, chosen)
        with stages.measured("embed"):
            vectors = await unless_unavailable(self._embedder.embed(tenant, asked.texts))
        if isinstance(vectors, TesseraError):
            self._telemetry.count("answer_degraded")
            return look_at_words(reading, chosen)
        with stages.measured("second_look"):
            return look_twice(reading, chosen, asked.similarities(vectors))


def _stands_in(ranked: RankedHit, texts: Texts) -> bool:
    hit = ranked.hit
    text = texts.get((hit.document_id, hit.generation))
    return text is not None and text.text[hit.start : hit.end] == hit.text


def _judged(evidence: Evidence | None, minimum: float) -> tuple[Outcome, float]:
    if evidence is None:
        return Outcome.NO_EVIDENCE, 0.0
    if evidence.is_of_words:
        confidence = CONFIDENCE_OF_WORDS.confidence(evidence.signals, EXPECTED_ANSWERABLE)
        # Words find the sentence, but hardly tell an answer from a mention.
        outcome = outcome_of(confidence, minimum)
        return Outcome.PARTIAL if outcome is Outcome.ANSWERED else outcome, confidence
    confidence = CONFIDENCE.confidence(evidence.signals, EXPECTED_ANSWERABLE)
    return outcome_of(confidence, minimum), confidence


def _degraded(of_search: Sequence[str], evidence: Evidence | None) -> tuple[str, ...]:
    missing = {EMBEDDER} if evidence is not None and evidence.is_of_words else set()
    return tuple(sorted({*of_search, *missing}))


def _citations(evidence: Evidence | None, most: int, hits: Sequence[RankedHit], texts: Texts) -> tuple[Citation, ...]:
    """Cite the best passages; what does not stand in its text to the letter is left out."""
    if evidence is None:
        return ()
    found = [
        cite(quotation, _title_of(quotation.passages[0], hits), texts[_key(quotation.passages[0])])
        for quotation in joined(select(evidence.passages, evidence.scores, most))
    ]
    return tuple(citation for citation in found if citation is not None)


def _title_of(passage: Passage, hits: Sequence[RankedHit]) -> str:
    return hits[passage.chunk].hit.title


def _key(passage: Passage) -> TextKey:
    return passage.document_id, passage.generation
