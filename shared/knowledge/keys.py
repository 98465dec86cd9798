"""Object keys of uploads, and the document id that each key stands for (K2).

A document is one object key, so an event that comes before, after or without its record finds the same document.
"""

import hashlib
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId, UploadId, encode_base32
from shared.kernel.tenants import is_tenant_name

MAX_NAME_LENGTH = 255
_KB_ID: TypeAdapter[KnowledgeBaseId] = TypeAdapter(KnowledgeBaseId)
_ID_BITS = 26 * 5


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """An object key that belongs to a knowledge base; `upload_id` is None for a plain file drop."""

    key: str
    tenant: TenantId
    kb_id: KnowledgeBaseId
    name: str
    upload_id: UploadId | None = None

    @property
    def document_id(self) -> DocumentId:
        return document_id_of(self.key)


def document_id_of(key: str) -> DocumentId:
    """Return the id of the document that `key` holds: the first 130 bits of the key's SHA-256, in base 32."""
    digest = int.from_bytes(hashlib.sha256(key.encode()).digest())
    return DocumentId("doc_" + encode_base32(digest >> (256 - _ID_BITS), 26))


def upload_key(tenant: TenantId, kb_id: KnowledgeBaseId, upload_id: UploadId, name: str) -> ObjectKey:
    """Return the key that a promised upload will fill; `name` keeps only its last path segment."""
    safe = name.replace("\\", "/").rpartition("/")[2].replace("\x00", "")[:MAX_NAME_LENGTH] or "document"
    return ObjectKey(f"{prefix_of(tenant, kb_id)}u/{upload_id}/{safe}", tenant, kb_id, safe, upload_id)


def prefix_of(tenant: TenantId, kb_id: KnowledgeBaseId) -> str:
    """Return the prefix under which everything of one knowledge base lies, in every bucket."""
    return f"t/{tenant}/kb/{kb_id}/"


def parse_key(key: str) -> ObjectKey | None:
    """Read tenant, knowledge base and upload id from an object key; None for a key that is not of that shape."""
    match key.split("/"):
        case ["t", tenant, "kb", kb_id, "u", upload_id, name] if is_tenant_name(tenant) and upload_id and name:
            known_upload: UploadId | None = UploadId(upload_id)
        case ["t", tenant, "kb", kb_id, first, *rest] if (
            is_tenant_name(tenant) and first != "u" and (name := (rest or [first])[-1])
        ):
            known_upload = None
        case _:
            return None
    try:
        return ObjectKey(key, TenantId(tenant), _KB_ID.validate_python(kb_id), name, known_upload)
    except ValidationError:
        return None
