"""Keys of the artifacts bucket, and the check that a key is the tenant's own (invariant 4)."""

from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId, TenantId
from shared.knowledge.keys import prefix_of


def document_prefix(tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> str:
    return f"{prefix_of(tenant, kb_id)}d/{document_id}/g/"


def generation_prefix(tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId, generation: Generation) -> str:
    return f"{document_prefix(tenant, kb_id, document_id)}{generation}/"


def own_key(tenant: TenantId, key: str) -> str:
    """Return `key` if it lies under the tenant's prefix. Raises: ValueError otherwise, which is a defect of ours."""
    if not tenant or "/" in tenant or not key.startswith(f"t/{tenant}/"):
        raise ValueError("The key does not belong to the tenant.")
    return key
