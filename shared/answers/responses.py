"""What a question is answered over HTTP (K8)."""

from dataclasses import asdict
from typing import Self

from pydantic import BaseModel, Field

from shared.answers.citations import Citation
from shared.answers.confidence import Outcome, Signals
from shared.answers.service import Answer
from shared.kernel.ids import DocumentId, Generation

_DIGITS = 4


class AnswerCitation(BaseModel):
    """A fact: `quote` is what stands at `[start, end)`, in code points, of that generation of the document's text.

    `before + quote + after` stands there too, for showing the quotation in its place.
    """

    document_id: DocumentId
    generation: Generation = Field(description="The version of the document that is quoted.")
    chunk_id: str
    title: str
    page: int | None = Field(default=None, description="Page, slide or sheet, where the format has them.")
    start: int
    end: int
    quote: str
    before: str
    after: str

    @classmethod
    def from_citation(cls, citation: Citation) -> Self:
        return cls(**asdict(citation))


class AnswerResponse(BaseModel):
    """An answer made of quotations, best first, or the admission that there is no evidence for one."""

    outcome: Outcome = Field(
        description="`answered`; `partial` when the evidence is weak; `no_evidence` when nothing found answers it."
    )
    text: str = Field(description="The quotations, one per line, and nothing else; empty with `no_evidence`.")
    confidence: float = Field(description="How likely the evidence answers the question, 0 to 1.")
    citations: list[AnswerCitation]
    near_misses: list[AnswerCitation] = Field(description="With `no_evidence`: what came closest.")
    signals: dict[str, float] = Field(description="What the confidence was made of; empty when nothing was found.")
    degraded: list[str] = Field(
        description="What was missing: as in `search_knowledge_base`, and `embedder` when only words were compared, "
        "by which no question is more than partly answered."
    )
    timings_ms: dict[str, float] = Field(description="Milliseconds per stage.")

    @classmethod
    def from_answer(cls, answer: Answer) -> Self:
        return cls(
            outcome=answer.outcome,
            text=answer.text,
            confidence=round(answer.confidence, _DIGITS),
            citations=[AnswerCitation.from_citation(citation) for citation in answer.citations],
            near_misses=[AnswerCitation.from_citation(citation) for citation in answer.near_misses],
            signals=_rounded(answer.signals),
            degraded=list(answer.degraded),
            timings_ms={stage: round(spent, 2) for stage, spent in answer.timings_ms.items()},
        )


def _rounded(signals: Signals | None) -> dict[str, float]:
    return {} if signals is None else {name: round(value, _DIGITS) for name, value in asdict(signals).items()}
