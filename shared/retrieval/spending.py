"""Queries cost what the model reads of them; what it reads of documents costs their readers nothing (T4)."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.limits.spending import spend_tokens
from shared.retrieval.ports import Embedder


@dataclass(frozen=True, slots=True)
class SpendingEmbedder:
    """Implements `Embedder`: embeds texts, and notes for the present request how many tokens they had.

    `count_tokens` is the model's own count, without the tokens that the model adds to every text.
    """

    embedder: Embedder
    count_tokens: Callable[[Sequence[str]], int]

    @property
    def model_id(self) -> str:
        return self.embedder.model_id

    @property
    def dimensions(self) -> int:
        return self.embedder.dimensions

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = await self.embedder.embed(texts)
        spend_tokens(await asyncio.to_thread(self.count_tokens, texts))
        return vectors
