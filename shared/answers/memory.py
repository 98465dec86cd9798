"""What a process remembers between questions: texts, and vectors of sentences. Forgetting costs time only (K8).

Neither can serve what is gone: a text is asked for after the search has checked that its generation is live, and the
text of a generation never changes. Tenants never share an entry.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.answers.ports import CanonicalTexts
from shared.documents.canonical import CanonicalText
from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId, TenantId
from shared.kernel.tenants import AdmittedTenant, admitted
from shared.retrieval.ports import Embedder, Vector

MOST_CHARACTERS: Final = 16_000_000
"""Of all texts remembered; up to four bytes each."""

MOST_VECTORS: Final = 20_000
"""384 floats each make 31 MB."""

TOGETHER: Final = 3
"""Texts embedded in one go. All are padded to the longest of them, and sentences differ so much in length that ten at
once cost 1.6 times as much as ten by threes, sorted."""


class RememberedTexts:
    """Canonical texts with a memory; what is not there is asked for again each time."""

    def __init__(self, texts: CanonicalTexts, most_characters: int = MOST_CHARACTERS) -> None:
        self._texts = texts
        self._most_characters = most_characters
        self._known: OrderedDict[tuple[AdmittedTenant, KnowledgeBaseId, DocumentId, Generation], CanonicalText] = (
            OrderedDict()
        )
        self._characters = 0

    async def get_text(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId, generation: Generation
    ) -> CanonicalText | None:
        key = (admitted(tenant), kb_id, document_id, generation)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        text = await self._texts.get_text(tenant, kb_id, document_id, generation)
        if text is not None and len(text.text) <= self._most_characters and key not in self._known:
            self._known[key] = text
            self._characters += len(text.text)
            while self._characters > self._most_characters:
                _, forgotten = self._known.popitem(last=False)
                self._characters -= len(forgotten.text)
        return text


class RememberedSentences:
    """An embedder of a tenant's sentences with a memory."""

    def __init__(self, embedder: Embedder, most_vectors: int = MOST_VECTORS) -> None:
        self._embedder = embedder
        self._most_vectors = most_vectors
        self._known: OrderedDict[bytes, Vector] = OrderedDict()

    async def embed(self, tenant: TenantId, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions), rows of unit length in the order of `texts`."""
        own = admitted(tenant)
        keys = [_key(own, text) for text in texts]
        vectors = {key: self._known[key] for key in keys if key in self._known}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in vectors}
        by_length = sorted(missing, key=lambda key: len(missing[key]))
        for first in range(0, len(by_length), TOGETHER):
            some = by_length[first : first + TOGETHER]
            embedded = await self._embedder.embed([missing[key] for key in some])
            vectors |= dict(zip(some, embedded, strict=True))
        for key in keys:
            self._known[key] = vectors[key]
            self._known.move_to_end(key)
        while len(self._known) > self._most_vectors:
            self._known.popitem(last=False)
        return np.stack([vectors[key] for key in keys])


def _key(tenant: AdmittedTenant, text: str) -> bytes:
    return hashlib.sha256(f"{tenant}\0{text}".encode("utf-8", "surrogatepass")).digest()
