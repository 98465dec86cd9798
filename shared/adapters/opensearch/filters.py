"""Scope, conditions and exclusions as one filter, which both legs carry inside their query."""

import hashlib
import json
from collections.abc import Sequence

from shared.adapters.opensearch.layout import JsonObject
from shared.kernel.ids import DocumentId, Generation
from shared.kernel.tenants import AdmittedTenant
from shared.retrieval.fields import Condition
from shared.retrieval.metadata_terms import AnyTerm, NoTerm, TermRange, requirement_of
from shared.retrieval.ports import Scope


def scope_key(tenant: AdmittedTenant, scope: Scope) -> str:
    """Return what tells a scope from every other one, 32 digits, whatever characters its ids hold."""
    identity = json.dumps([tenant, scope.kb_id, scope.index_generation])
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def document_generation_key(document_id: DocumentId, generation: Generation) -> str:
    return f"{document_id}.{generation}"


def item_id(key_of_scope: str, chunk_id: str) -> str:
    return f"{key_of_scope}.{chunk_id}"


def filter_of(
    tenant: AdmittedTenant,
    scope: Scope,
    conditions: Sequence[Condition] = (),
    without: Sequence[tuple[DocumentId, Generation]] = (),
) -> JsonObject:
    """Return a `bool` query that scores nothing."""
    required: list[JsonObject] = [{"term": {"scope": scope_key(tenant, scope)}}, {"term": {"tenant": tenant}}]
    excluded: list[JsonObject] = []
    for condition in conditions:
        match requirement_of(condition):
            case AnyTerm(terms):
                required.append({"terms": {"metadata_terms": list(terms)}})
            case TermRange(first, last):
                required.append({"range": {"metadata_terms": {"gte": first, "lte": last}}})
            case NoTerm(term):
                excluded.append({"term": {"metadata_terms": term}})
    if without:
        excluded.append({"terms": {"document_generation": [document_generation_key(*pair) for pair in without]}})
    return {"bool": {"filter": required, **({"must_not": excluded} if excluded else {})}}
