"""A document whose file is still to come: under which key, and what is known of it before (K2)."""

from collections.abc import Mapping
from datetime import datetime

from shared.kernel.ids import TaskId, UploadId, new_id
from shared.knowledge.keys import upload_key
from shared.knowledge.metadata import check_metadata
from shared.knowledge.models import Document, DocumentStatus, KnowledgeBase, Stage
from shared.retrieval.fields import MetadataValue


def promised_document(
    kb: KnowledgeBase, upload_id: UploadId, name: str, metadata: Mapping[str, MetadataValue], now: datetime
) -> Document:
    """Return a document that awaits its file under a key of its own. Raises: InvalidMetadataError."""
    key = upload_key(kb.tenant, kb.kb_id, upload_id, name)
    return Document(
        tenant=kb.tenant,
        kb_id=kb.kb_id,
        document_id=key.document_id,
        key=key.key,
        name=key.name,
        status=DocumentStatus.PROCESSING,
        stage=Stage.AWAITING_UPLOAD,
        created_at=now,
        updated_at=now,
        task_id=TaskId(new_id("task", now)),
        upload_id=upload_id,
        metadata=check_metadata(kb.config, metadata),
    )
