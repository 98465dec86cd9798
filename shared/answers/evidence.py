"""What the chunks found hold for and against an answer: passages, looked at twice, and the signals they give (K8)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.answers.calibration import FIRST_LOOK_WEIGHTS, SECOND_LOOK_WEIGHTS
from shared.answers.confidence import Signals
from shared.answers.passages import Passage, passages_of
from shared.answers.questions import read_question
from shared.answers.reading import FIRST_LOOK, SECOND_LOOK, Matrix, Reading, coverage, coverage_by_stem
from shared.answers.selection import shares
from shared.documents.canonical import BlockKind, CanonicalText
from shared.kernel.ids import DocumentId, Generation
from shared.retrieval.analysis import analyze
from shared.retrieval.embedding import embedded_text
from shared.retrieval.search import RankedHit

PASSAGES_EMBEDDED: Final = 8
"""Passages that get the second look: with more, answers do not get better, only later."""

PASSAGES_QUOTED: Final = 3
"""Of how many passages the signals speak, however many the caller wants quoted."""

MOST_EMBEDDED: Final = 400
"""Code points of a passage that are embedded: few sentences are longer, and long table rows would take all the time."""

TextKey = tuple[DocumentId, Generation]
Texts = Mapping[TextKey, CanonicalText]
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The passages that got the second look, in the order of the first, their scores, and the signals of the best.

    `is_of_words` tells that there was no second look, so that similarities are 0 and mean nothing.
    """

    passages: tuple[Passage, ...]
    scores: Scores
    signals: Signals
    is_of_words: bool = False


@dataclass(frozen=True, slots=True)
class ToEmbed:
    """Texts whose closeness to the question has to be known: the question itself, passages, titles."""

    texts: tuple[str, ...]
    passages: int
    title_of: tuple[str, ...]

    def similarities(self, vectors: NDArray[np.float32]) -> tuple[list[float], list[float]]:
        """Return, per passage, its cosine to the question and that of its title (0 without a title).

        `vectors` are the unit vectors of `texts`.
        """
        cosines = (vectors[1:] @ vectors[0]).tolist()
        by_title = dict(zip(self.texts[1 + self.passages :], cosines[self.passages :], strict=True))
        return cosines[: self.passages], [by_title.get(title, 0.0) for title in self.title_of]


def without_copies(hits: Sequence[RankedHit]) -> list[RankedHit]:
    """Return `hits` without those that say word for word what a better one says."""
    distinct: dict[str, RankedHit] = {}
    for ranked in hits:
        distinct.setdefault(" ".join(ranked.hit.text.split()), ranked)
    return list(distinct.values())


def read_passages(question: str, hits: Sequence[RankedHit], texts: Texts) -> Reading:
    """Return the question beside all passages of `hits`; what stands in two chunks counts for the better one."""
    found: dict[tuple[DocumentId, Generation, int, int], Passage] = {}
    for chunk, ranked in enumerate(hits):
        text = texts[ranked.hit.document_id, ranked.hit.generation]
        for passage in passages_of(ranked.hit, chunk, text):
            found.setdefault((passage.document_id, passage.generation, passage.start, passage.end), passage)
    return Reading(read_question(question), hits, tuple(found.values()))


def look_once(reading: Reading, weights: Mapping[str, float] = FIRST_LOOK_WEIGHTS) -> list[int]:
    """Return the indexes of the passages that deserve a second look, best first."""
    order: list[int] = np.argsort(-weighed(reading.first_look, FIRST_LOOK, weights), kind="stable").tolist()
    return order[:PASSAGES_EMBEDDED]


def to_embed(reading: Reading, chosen: Sequence[int]) -> ToEmbed:
    """Return what has to be embedded for the second look: each passage under its title (and its columns' names)."""
    passages = [reading.passages[index] for index in chosen]
    title_of = tuple(reading.hits[passage.chunk].hit.title for passage in passages)
    titles = dict.fromkeys(title for title in title_of if title)
    texts = [
        embedded_text(title, _under_header(found)[:MOST_EMBEDDED])
        for title, found in zip(title_of, passages, strict=True)
    ]
    return ToEmbed((reading.question.text, *texts, *titles), len(passages), title_of)


def look_twice(
    reading: Reading,
    chosen: Sequence[int],
    similarities: tuple[Sequence[float], Sequence[float]],
    weights: Mapping[str, float] = SECOND_LOOK_WEIGHTS,
) -> Evidence:
    """Return the evidence of the passages at the indexes `chosen`, of which there is one at least.

    `similarities` are their cosines to the question, and those of their titles.
    """
    scores = weighed(reading.second_look(chosen, similarities[0]), SECOND_LOOK, weights)
    signals = _signals(reading, chosen, scores, *similarities)
    return Evidence(tuple(reading.passages[index] for index in chosen), scores, signals)


def look_at_words(
    reading: Reading, chosen: Sequence[int], weights: Mapping[str, float] = FIRST_LOOK_WEIGHTS
) -> Evidence:
    """Return the evidence of the passages at the indexes `chosen` by the first look alone, when nothing can embed."""
    scores = weighed(reading.first_look, FIRST_LOOK, weights)[list(chosen)]
    unknown = [0.0] * len(chosen)
    signals = _signals(reading, chosen, scores, unknown, unknown)
    return Evidence(tuple(reading.passages[index] for index in chosen), scores, signals, is_of_words=True)


def weighed(features: Matrix, names: Sequence[str], weights: Mapping[str, float]) -> Scores:
    """Return the weighted sum of each row; columns without a weight do not count."""
    scores: Scores = features @ np.array([weights.get(name, 0.0) for name in names])
    return scores


def _signals(
    reading: Reading,
    chosen: Sequence[int],
    scores: Scores,
    similarities: Sequence[float],
    title_similarities: Sequence[float],
) -> Signals:
    order = np.argsort(-scores, kind="stable").tolist()
    best = order[0]
    passage = reading.passages[chosen[best]]
    hit = reading.hits[passage.chunk].hit
    own = set(reading.terms[chosen[best]])
    chunk_terms = set(analyze(f"{hit.title}\n{hit.context}\n{hit.text}"))
    quoted = order[:PASSAGES_QUOTED]
    quoted_text = "\n".join(reading.passages[chosen[index]].text for index in quoted)
    closest = max(ranked.vector_score or 0.0 for ranked in reading.hits)
    first_look = dict(zip(FIRST_LOOK, reading.first_look[chosen[best]].tolist(), strict=True))
    return Signals(
        chunk_similarity=closest or max(similarities),
        similarity=similarities[best],
        title_similarity=title_similarities[best],
        keywords=first_look["keywords"],
        coverage=coverage(reading.weights, own),
        stem_coverage=coverage_by_stem(reading.weights, own),
        coverage_in_context=first_look["coverage_in_context"],
        chunk_coverage=coverage(reading.weights, chunk_terms),
        number_coverage=reading.question.number_coverage(quoted_text),
        kind=first_look["kind"],
        fit=float(scores[best]),
        margin=float(scores[best] - scores[order[1]]) if len(order) > 1 else 0.0,
        share=float(shares(scores)[quoted].sum()),
        agreement=float(_legs_agree(reading.hits)),
        chunk_margin=_margin([ranked.score for ranked in reading.hits]),
    )


def _under_header(passage: Passage) -> str:
    is_row = passage.kind is BlockKind.TABLE_ROW and passage.header
    return f"{passage.header}\n{passage.text}" if is_row else passage.text


def _legs_agree(hits: Sequence[RankedHit]) -> bool:
    by_keyword = max(hits, key=lambda ranked: ranked.keyword_score or 0.0)
    by_vector = max(hits, key=lambda ranked: ranked.vector_score or 0.0)
    return by_keyword.hit.chunk_id == by_vector.hit.chunk_id


def _margin(scores: Sequence[float]) -> float:
    """Return the lead of the first score over the second, as a share of the first."""
    return 1 - scores[1] / scores[0] if len(scores) > 1 and scores[0] > 0 else 0.0
