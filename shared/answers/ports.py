"""What answering needs from outside."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.documents.canonical import CanonicalText
from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId, TenantId
from shared.retrieval.query import SearchQuery
from shared.retrieval.search import SearchResult


class CanonicalTexts(Protocol):
    """The texts that citations are spans of."""

    async def get_text(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId, generation: Generation
    ) -> CanonicalText | None:
        """Return the canonical text of one document generation; None when it is gone, which means not live."""
        ...


class Searches(Protocol):
    """Finds live chunks; the search service of this house."""

    async def search(self, tenant: TenantId, kb_id: KnowledgeBaseId, query: SearchQuery) -> SearchResult: ...


class AnswerSettings(Protocol):
    """How a knowledge base wants its questions answered."""

    async def minimum_confidence(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> float:
        """Return the confidence in [0, 1] below which the base has no evidence to show.

        Raises: KnowledgeBaseNotFoundError, also when the base belongs to another tenant or was deleted.
        """
        ...


class SentenceEmbedder(Protocol):
    """Turns a tenant's sentences and questions into unit vectors of one space."""

    async def embed(self, tenant: TenantId, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions), rows of unit length in the order of `texts`."""
        ...
