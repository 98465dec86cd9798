"""The two legs of a search, run side by side; when one is down, the other answers and the result says so (K7, K11)."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import DocumentId, Generation, TenantId
from shared.limits.spending import metered, spend_tokens
from shared.retrieval.fields import Condition
from shared.retrieval.ports import ChunkIndex, Embedder, Hit, Scope, Vector
from shared.retrieval.query import SearchMode
from shared.retrieval.stages import Stages

_log = logging.getLogger("tessera.search")

T = TypeVar("T")

Without = Sequence[tuple[DocumentId, Generation]]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What each leg found, best first, on its own scale."""

    keyword: list[Hit]
    vector: list[Hit]

    @property
    def all(self) -> list[Hit]:
        return [*self.keyword, *self.vector]


class QueryEmbedding:
    """The vector of one query, which needs no knowledge base and so is made while that is being looked up.

    The request pays for it when somebody asks for it: otherwise what it costs would depend on which was faster.
    """

    def __init__(self, embedder: Embedder, text: str, stages: Stages) -> None:
        self._embedder = embedder
        self._text = text
        self._stages = stages
        self._task: asyncio.Task[Vector | TesseraError] | None = None
        self._unpaid = 0

    def start(self) -> "asyncio.Task[Vector | TesseraError]":
        """Begin, unless it was begun; a failure waits for those who ask for the vector."""
        if self._task is None:
            self._task = asyncio.create_task(self._outcome())
        return self._task

    async def vector(self) -> Vector:
        """Raises: the embedder's error, each time it is asked."""
        found = await self.start()
        if isinstance(found, TesseraError):
            raise found
        spend_tokens(self._unpaid)
        self._unpaid = 0
        return found

    def end(self) -> None:
        """Give up on a vector that nobody will ask for any more."""
        if self._task is not None:
            self._task.cancel()

    async def _outcome(self) -> Vector | TesseraError:
        return await unless_unavailable(self._embed())

    async def _embed(self) -> Vector:
        with self._stages.measured("embed"), metered() as spending:
            vector: Vector = (await self._embedder.embed([self._text]))[0]
        self._unpaid = spending.tokens
        return vector


@dataclass(slots=True)
class Legs:
    """Finds the candidates of one query; the query is embedded once, however often candidates are asked for."""

    index: ChunkIndex
    embedding: "QueryEmbedding"
    tenant: TenantId
    scope: Scope
    text: str
    mode: SearchMode
    conditions: tuple[Condition, ...]
    depth: int
    stages: Stages
    degraded: set[str] = field(default_factory=set)

    async def find(self, without: Without = ()) -> Candidates:
        """Return up to `depth` chunks per leg. Raises: the failing leg's error when no leg can answer."""
        match self.mode:
            case SearchMode.KEYWORD:
                return Candidates(await self._keyword(without), [])
            case SearchMode.VECTOR:
                return await self._vector_or_keyword(without)
            case SearchMode.HYBRID:
                return await self._both(without)

    async def _both(self, without: Without) -> Candidates:
        keyword, vector = await asyncio.gather(
            unless_unavailable(self._keyword(without)), unless_unavailable(self._vector(without))
        )
        if isinstance(keyword, TesseraError) and isinstance(vector, TesseraError):
            raise keyword
        return Candidates(self._or_degraded("keyword", keyword), self._or_degraded("vector", vector))

    async def _vector_or_keyword(self, without: Without) -> Candidates:
        found = await unless_unavailable(self._vector(without))
        if not isinstance(found, TesseraError):
            return Candidates([], found)
        self._or_degraded("vector", found)
        instead = await unless_unavailable(self._keyword(without))
        if isinstance(instead, TesseraError):
            raise found
        return Candidates(instead, [])

    def _or_degraded(self, leg: str, found: list[Hit] | TesseraError) -> list[Hit]:
        if not isinstance(found, TesseraError):
            return found
        self.degraded.add(leg)
        _log.warning("search leg unavailable", extra={"leg": leg, "code": found.code, "tenant": self.tenant})
        return []

    async def _keyword(self, without: Without) -> list[Hit]:
        with self.stages.measured("keyword"):
            return await self.index.search_keyword(
                self.tenant, self.scope, self.text, self.depth, self.conditions, without
            )

    async def _vector(self, without: Without) -> list[Hit]:
        vector = await self.embedding.vector()
        with self.stages.measured("vector"):
            return await self.index.search_vector(self.tenant, self.scope, vector, self.depth, self.conditions, without)


async def unless_unavailable(part: Coroutine[Any, Any, T]) -> T | TesseraError:
    """Return what `part` gives, or why it is out of service; any other failure is raised."""
    try:
        return await part
    except TesseraError as error:
        if error.kind is not Kind.UNAVAILABLE:
            raise
        return error
