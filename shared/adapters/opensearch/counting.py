"""How many chunks of a scope hold a term: asked for once, then remembered for a while."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from opensearchpy import OpenSearch

from shared.adapters.opensearch.filters import filter_of, scope_key
from shared.adapters.opensearch.layout import JsonObject
from shared.adapters.opensearch.scoring import ScopeCounts
from shared.kernel.tenants import AdmittedTenant
from shared.retrieval.ports import Scope

REMEMBERED_S: Final = 30.0
"""Older counts move scores a little, never what is found: every term of a query is searched for anyway."""

MOST_SCOPES: Final = 1000
MOST_TERMS: Final = 20_000


@dataclass(slots=True)
class _Remembered:
    until: float
    chunks: int
    average_length: float
    containing: dict[str, int] = field(default_factory=dict)


class ScopeCounter:
    """Counts inside one scope at a time; threads may share it."""

    def __init__(self, client: OpenSearch, index: str, now_s: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._index = index
        self._now_s = now_s
        self._lock = threading.Lock()
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()

    def counts(self, tenant: AdmittedTenant, scope: Scope, terms: Collection[str]) -> ScopeCounts:
        """Return the counts of a scope for `terms`, at most `REMEMBERED_S` old."""
        key = scope_key(tenant, scope)
        with self._lock:
            known = self._remembered.get(key)
            if known is not None and known.until > self._now_s():
                missing = [term for term in terms if term not in known.containing]
                if not missing:
                    return ScopeCounts(known.chunks, known.average_length, dict(known.containing))
            else:
                known, missing = None, list(terms)
        fresh = self._ask(tenant, scope, missing, known)
        with self._lock:
            if known is not None:
                fresh.containing = known.containing | fresh.containing
            # An empty base is about to get its first chunks: what is known of it is old at once.
            if fresh.chunks and len(fresh.containing) <= MOST_TERMS:
                self._remembered[key] = fresh
                self._remembered.move_to_end(key)
                if len(self._remembered) > MOST_SCOPES:
                    self._remembered.popitem(last=False)
        return ScopeCounts(fresh.chunks, fresh.average_length, fresh.containing)

    def forget(self, tenant: AdmittedTenant, scope: Scope) -> None:
        """Count anew next time."""
        with self._lock:
            self._remembered.pop(scope_key(tenant, scope), None)

    def _ask(self, tenant: AdmittedTenant, scope: Scope, terms: list[str], known: _Remembered | None) -> _Remembered:
        """Count `terms`; size and average length too, unless they are known: those read every chunk of the scope."""
        aggregations: JsonObject = {"length": {"avg": {"field": "length"}}} if known is None else {}
        if terms:
            filters = {str(number): {"term": {"terms": term}} for number, term in enumerate(terms)}
            aggregations["containing"] = {"filters": {"filters": filters}}
        answer = self._client.search(
            index=self._index,
            body={
                "size": 0,
                "track_total_hits": known is None,
                "query": filter_of(tenant, scope),
                "aggs": aggregations,
            },
            params={"routing": tenant, "ignore_unavailable": "true", "allow_partial_search_results": "false"},
        )
        counted = answer.get("aggregations", {})
        buckets = counted.get("containing", {}).get("buckets", {})
        containing = {term: buckets[str(number)]["doc_count"] if buckets else 0 for number, term in enumerate(terms)}
        if known is not None:
            return _Remembered(known.until, known.chunks, known.average_length, containing)
        return _Remembered(
            until=self._now_s() + REMEMBERED_S,
            chunks=answer["hits"]["total"]["value"],
            average_length=counted.get("length", {}).get("value") or 1.0,
            containing=containing,
        )
