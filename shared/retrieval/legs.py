"""The two legs of a search, run side by side; when one is down, the other answers and the result says so (K7, K11)."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import DocumentId, Generation, TenantId
from shared.retrieval.fields import Condition
from shared.retrieval.ports import ChunkIndex, Embedder, Hit, Scope, Vector
from shared.retrieval.query import SearchMode
from shared.retrieval.stages import Stages

_log = logging.getLogger("tessera.search")

Without = Sequence[tuple[DocumentId, Generation]]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What each leg found, best first, on its own scale."""

    keyword: list[Hit]
    vector: list[Hit]

    @property
    def all(self) -> list[Hit]:
        return [*self.keyword, *self.vector]


@dataclass(slots=True)
class Legs:
    """Finds the candidates of one query; the query is embedded once, however often candidates are asked for."""

    index: ChunkIndex
    embedder: Embedder
    tenant: TenantId
    scope: Scope
    text: str
    mode: SearchMode
    conditions: tuple[Condition, ...]
    depth: int
    stages: Stages
    degraded: set[str] = field(default_factory=set)
    _embedded: Vector | None = None

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
            _unless_unavailable(self._keyword(without)), _unless_unavailable(self._vector(without))
        )
        if isinstance(keyword, TesseraError) and isinstance(vector, TesseraError):
            raise keyword
        return Candidates(self._or_degraded("keyword", keyword), self._or_degraded("vector", vector))

    async def _vector_or_keyword(self, without: Without) -> Candidates:
        found = await _unless_unavailable(self._vector(without))
        if not isinstance(found, TesseraError):
            return Candidates([], found)
        self._or_degraded("vector", found)
        instead = await _unless_unavailable(self._keyword(without))
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
        if self._embedded is None:
            with self.stages.measured("embed"):
                self._embedded = (await self.embedder.embed([self.text]))[0]
        with self.stages.measured("vector"):
            return await self.index.search_vector(
                self.tenant, self.scope, self._embedded, self.depth, self.conditions, without
            )


async def _unless_unavailable(leg: Coroutine[Any, Any, list[Hit]]) -> list[Hit] | TesseraError:
    """Return what `leg` found, or why it is out of service; any other failure is raised."""
    try:
        return await leg
    except TesseraError as error:
        if error.kind is not Kind.UNAVAILABLE:
            raise
        return error
