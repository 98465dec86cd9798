"""Keys of the metadata table, all of them. The tenant leads every partition key (invariant 4).

    pk                      sk
    t#<tenant>              kb#<kb>                 a knowledge base
    t#<tenant>              request#<hash>          a request that may be repeated
    t#<tenant>              workspace#<workspace>   how many knowledge bases a workspace has
    t#<tenant>              tally                   what the tenant has in all
    t#<tenant>              line                    how many of its documents are processed, and how many wait
    t#<tenant>#line         <place>                 a document that waits, in the order of waiting
    t#<tenant>#kb#<kb>      tally                   its counters
    t#<tenant>#kb#<kb>      doc#<document>          a document: fence, status, work
    t#<tenant>#kb#<kb>      hash#<sha256>           who holds one content, and who waits for it

A key prefix ends with its separator, so no id can reach into another's range. Ids hold no `#`: tenants are checked.
"""

import zlib
from typing import Any

from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId, WorkspaceId
from shared.knowledge.models import ContentClaim, Document, KnowledgeBase

DOCUMENT_PREFIX = "doc#"
KNOWLEDGE_BASE_PREFIX = "kb#"
DUE_SHARDS = 8

Key = dict[str, Any]


def knowledge_base_key(tenant: TenantId, kb_id: KnowledgeBaseId | str) -> Key:
    return _key(tenant_partition(tenant), f"{KNOWLEDGE_BASE_PREFIX}{kb_id}")


def tally_key(tenant: TenantId, kb_id: KnowledgeBaseId) -> Key:
    return _key(base_partition(tenant, kb_id), "tally")


def tenant_tally_key(tenant: TenantId) -> Key:
    return _key(tenant_partition(tenant), "tally")


def line_key(tenant: TenantId) -> Key:
    return _key(tenant_partition(tenant), "line")


def ticket_key(tenant: TenantId, place: str) -> Key:
    return _key(line_partition(tenant), place)


def document_key(tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId | str) -> Key:
    return _key(base_partition(tenant, kb_id), f"{DOCUMENT_PREFIX}{document_id}")


def claim_key(tenant: TenantId, kb_id: KnowledgeBaseId, sha256: str) -> Key:
    return _key(base_partition(tenant, kb_id), f"hash#{sha256}")


def request_key(tenant: TenantId, name: str) -> Key:
    return _key(tenant_partition(tenant), f"request#{name}")


def workspace_use_key(tenant: TenantId, workspace_id: WorkspaceId) -> Key:
    return _key(tenant_partition(tenant), f"workspace#{workspace_id}")


def key_of(record: KnowledgeBase | Document | ContentClaim) -> Key:
    """Return where `record` stands."""
    match record:
        case KnowledgeBase():
            return knowledge_base_key(record.tenant, record.kb_id)
        case Document():
            return document_key(record.tenant, record.kb_id, record.document_id)
        case ContentClaim():
            return claim_key(record.tenant, record.kb_id, record.sha256)


def tenant_partition(tenant: TenantId) -> str:
    if not tenant or "#" in tenant:
        raise ValueError("A tenant's id holds no '#'.")
    return f"t#{tenant}"


def base_partition(tenant: TenantId, kb_id: KnowledgeBaseId) -> str:
    return f"{tenant_partition(tenant)}#kb#{kb_id}"


def line_partition(tenant: TenantId) -> str:
    return f"{tenant_partition(tenant)}#line"


def due_shard(name: str) -> str:
    """Return the partition of the index of due records in which `name` stands: a few, to spread the writes."""
    return f"due#{zlib.crc32(name.encode()) % DUE_SHARDS}"


def due_shards() -> list[str]:
    return [f"due#{number}" for number in range(DUE_SHARDS)]


def _key(partition: str, sort: str) -> Key:
    return {"pk": {"S": partition}, "sk": {"S": sort}}
