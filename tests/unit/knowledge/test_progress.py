"""The estimate: present while work is under way, better as batches finish, never zero."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId
from shared.knowledge.models import Attempts, Document, DocumentStatus, ObjectVersion, Purpose, Stage, Work
from shared.knowledge.progress import remaining_s

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def document(stage: Stage, *, spent_s: float = 0, size: int = 150_000) -> Document:
    since = NOW - timedelta(seconds=spent_s)
    work = Work(1, 1, Purpose.UPLOAD, ObjectVersion("v1", "etag", size), stage, since)
    return Document(
        tenant=TenantId("acme"),
        kb_id=KnowledgeBaseId("kb_1"),
        document_id=DocumentId("doc_1"),
        key="t/acme/kb/kb_1/a.pdf",
        name="a.pdf",
        status=DocumentStatus.PROCESSING,
        stage=stage,
        created_at=since,
        updated_at=since,
        work=work,
    )


def test_nothing_under_way_has_no_estimate() -> None:
    ready = replace(document(Stage.DONE), status=DocumentStatus.READY, work=None)
    awaited = replace(document(Stage.AWAITING_UPLOAD), work=None)

    assert remaining_s(ready, NOW) is None
    assert remaining_s(awaited, NOW) is None


def test_who_waits_for_a_place_has_no_estimate() -> None:
    waiting = document(Stage.QUEUED)
    assert waiting.work is not None
    waiting = replace(waiting, work=replace(waiting.work, ticket="1-doc_1"))

    assert remaining_s(waiting, NOW) is None


def test_larger_files_take_longer() -> None:
    small, large = document(Stage.ACCEPTED), document(Stage.ACCEPTED, size=50_000_000)

    assert (remaining_s(small, NOW) or 0) < (remaining_s(large, NOW) or 0)


def test_finished_batches_are_extrapolated() -> None:
    halfway = document(Stage.INDEXING, spent_s=30)
    assert halfway.work is not None
    halfway = replace(halfway, work=replace(halfway.work, chunks=640, batches=10, batches_done=frozenset(range(5))))

    assert remaining_s(halfway, NOW) == 32


def test_rest_between_two_attempts_is_counted() -> None:
    resting = document(Stage.PARSING)
    assert resting.work is not None
    rest = {"parse": Attempts(1, NOW + timedelta(seconds=60), None)}

    with_rest = remaining_s(replace(resting, work=replace(resting.work, attempts=rest)), NOW)

    assert with_rest == (remaining_s(resting, NOW) or 0) + 60


def test_late_work_is_about_to_end_and_never_over() -> None:
    assert remaining_s(document(Stage.PUBLISHING, spent_s=1000), NOW) == 1
