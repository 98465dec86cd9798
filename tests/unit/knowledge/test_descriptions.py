"""What the API says of a document while its knowledge base is being re-indexed."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId
from shared.knowledge.config import KnowledgeBaseConfig
from shared.knowledge.descriptions import DocumentDescription, ReindexState
from shared.knowledge.models import (
    Document,
    DocumentStatus,
    KnowledgeBase,
    LiveGeneration,
    ObjectVersion,
    Purpose,
    Stage,
    Work,
)
from shared.knowledge.policy import IngestionPolicy

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOURCE = ObjectVersion("v1", "etag", 100)
LIVE = LiveGeneration(1, SOURCE, 1, 3, "md", "Terms", (), NOW)
BASE = KnowledgeBase(TenantId("acme"), KnowledgeBaseId("kb_" + "1" * 26), "Policies", KnowledgeBaseConfig(), NOW, NOW)
REINDEXING = replace(BASE, target=2, newest=2, target_config=KnowledgeBaseConfig())
READY = Document(
    tenant=TenantId("acme"),
    kb_id=KnowledgeBaseId("kb_" + "1" * 26),
    document_id=DocumentId("doc_" + "1" * 26),
    key="t/acme/kb/kb_1/a.md",
    name="a.md",
    status=DocumentStatus.READY,
    stage=Stage.DONE,
    created_at=NOW,
    updated_at=NOW,
    accepted=1,
    live={1: LIVE},
)


def described(document: Document, base: KnowledgeBase) -> DocumentDescription:
    return DocumentDescription.of(document, base, NOW, IngestionPolicy())


@pytest.mark.parametrize(
    ("document", "state"),
    [
        (READY, ReindexState.WAITING),
        (replace(READY, work=Work(2, 2, Purpose.REINDEX, SOURCE, Stage.INDEXING, NOW)), ReindexState.RUNNING),
        (replace(READY, live={1: LIVE, 2: LIVE}), ReindexState.DONE),
        (replace(READY, reindex_failed=2), ReindexState.FAILED),
        (replace(READY, live={}), None),
    ],
)
def test_reindex_is_told_per_document_and_leaves_its_status(document: Document, state: ReindexState | None) -> None:
    description = described(document, REINDEXING)

    assert description.reindex is state
    assert description.status is DocumentStatus.READY
    assert described(document, BASE).reindex is None


def test_only_the_serving_index_generation_is_live() -> None:
    flipped = replace(BASE, serving=2, newest=2)

    assert described(READY, BASE).live is not None
    assert described(READY, flipped).live is None
