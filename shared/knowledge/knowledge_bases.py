"""Knowledge bases: create, change (with a re-index where one is needed), delete (K1, K12)."""

from dataclasses import dataclass, replace

from shared.kernel.clock import Clock
from shared.kernel.ids import KnowledgeBaseId, TenantId, WorkspaceId, new_id
from shared.knowledge.config import ConfigChange, KnowledgeBaseConfig
from shared.knowledge.errors import (
    DocumentLimitAbovePlanError,
    InvalidConfigurationError,
    KnowledgeBaseNotFoundError,
    KnowledgeBaseReindexingError,
    RetryLaterError,
    StaleWriteError,
)
from shared.knowledge.messages import AdvanceReindex, SweepKnowledgeBase
from shared.knowledge.models import KnowledgeBase
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import (
    CheckTally,
    CountTenant,
    EnterWorkspace,
    KnowledgeBaseRepository,
    LeaveWorkspace,
    Put,
    WorkQueue,
    Write,
)
from shared.tenancy.models import default_workspace_of
from shared.tenancy.plans import Figures

_TRIES = 30


@dataclass(frozen=True, slots=True)
class KnowledgeBaseChange:
    """What to change; None leaves a thing as it is."""

    name: str | None = None
    description: str | None = None
    config: ConfigChange | None = None
    document_limit: int | None = None
    workspace_id: WorkspaceId | None = None
    shared_with_viewers: bool | None = None


class KnowledgeBases:
    """The knowledge bases of one deployment, as their users handle them."""

    def __init__(
        self, records: KnowledgeBaseRepository, queue: WorkQueue, clock: Clock, policy: IngestionPolicy
    ) -> None:
        self._records = records
        self._queue = queue
        self._clock = clock
        self._policy = policy

    async def create(
        self,
        tenant: TenantId,
        name: str,
        figures: Figures,
        *,
        kb_id: KnowledgeBaseId | None = None,
        description: str = "",
        config: KnowledgeBaseConfig | None = None,
        document_limit: int | None = None,
        workspace_id: WorkspaceId | None = None,
        shared_with_viewers: bool = True,
    ) -> KnowledgeBase:
        """Create an empty knowledge base; under a `kb_id` that exists, return the base that is there.

        Without a `document_limit` it holds as many documents as the plan allows now; without a `workspace_id` it stands
        in the tenant's default workspace.
        Raises: DocumentLimitAbovePlanError, CapacityExhaustedError; WorkspaceNotFoundError, KnowledgeBaseNotFoundError
        when that workspace, or the base of that id, was deleted meanwhile.
        """
        _refuse_above_plan(document_limit, figures)
        now = self._clock.now()
        kb = KnowledgeBase(
            tenant=tenant,
            kb_id=kb_id or KnowledgeBaseId(new_id("kb", now)),
            name=name,
            description=description,
            config=config or KnowledgeBaseConfig(),
            document_limit=document_limit or figures.documents_per_knowledge_base,
            workspace_id=workspace_id or default_workspace_of(tenant),
            shared_with_viewers=shared_with_viewers,
            created_at=now,
            updated_at=now,
        )
        try:
            await self._records.commit(
                tenant,
                [
                    Put(kb),
                    CountTenant(knowledge_bases=1, knowledge_base_limit=figures.knowledge_bases),
                    EnterWorkspace(kb.workspace),
                ],
            )
        except StaleWriteError:
            # Only a repeated request names an id that exists.
            return await self._find(tenant, kb.kb_id)
        return replace(kb, revision=1)

    async def update(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, change: KnowledgeBaseChange, figures: Figures
    ) -> KnowledgeBase:
        """Change a base. A change of chunking or embedding starts a re-index and the base says so (`reindexing`):
        the old configuration is served until every document is ready under the new one.

        Raises: KnowledgeBaseNotFoundError, InvalidConfigurationError, KnowledgeBaseReindexingError,
        DocumentLimitAbovePlanError, WorkspaceNotFoundError.
        """
        _refuse_above_plan(change.document_limit, figures)
        for _ in range(_TRIES):
            kb = await self._find(tenant, kb_id)
            changed = self._changed(kb, change)
            try:
                await self._records.commit(tenant, [Put(changed), *_moving(kb, changed)])
            except StaleWriteError:
                continue
            if changed.target is not None:
                await self._queue.send([AdvanceReindex(tenant=tenant, kb_id=kb_id, target=changed.target)])
            return replace(changed, revision=changed.revision + 1)
        raise RetryLaterError("The knowledge base keeps changing. Try again.", retry_after_s=1)

    async def delete(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> None:
        """Delete a base: requests that begin after this returns find neither it nor its content (invariant 2).

        What it held counts no more from then on; files, texts and chunks are destroyed afterwards.
        Raises: KnowledgeBaseNotFoundError.
        """
        for _ in range(_TRIES):
            kb = await self._find(tenant, kb_id)
            held = await self._records.tally(tenant, kb_id)
            now = self._clock.now()
            try:
                await self._records.commit(
                    tenant,
                    [
                        Put(replace(kb, deleted_at=now, updated_at=now, due=now, description="")),
                        CheckTally(kb_id, held),
                        CountTenant(knowledge_bases=-1, documents=-held.documents, bytes=-held.bytes),
                        LeaveWorkspace(kb.workspace),
                    ],
                )
            except StaleWriteError:
                continue
            await self._queue.send([SweepKnowledgeBase(tenant=tenant, kb_id=kb_id)])
            return
        raise RetryLaterError("The knowledge base keeps changing. Delete it again.", retry_after_s=1)

    async def _find(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> KnowledgeBase:
        kb = await self._records.knowledge_base(tenant, kb_id)
        if kb is None or kb.deleted_at is not None:
            raise KnowledgeBaseNotFoundError("No such knowledge base. List the knowledge bases to see what there is.")
        return kb

    def _changed(self, kb: KnowledgeBase, change: KnowledgeBaseChange) -> KnowledgeBase:
        now = self._clock.now()
        changed = replace(
            kb,
            name=kb.name if change.name is None else change.name,
            description=kb.description if change.description is None else change.description,
            document_limit=kb.document_limit if change.document_limit is None else change.document_limit,
            workspace_id=kb.workspace_id if change.workspace_id is None else change.workspace_id,
            shared_with_viewers=(
                kb.shared_with_viewers if change.shared_with_viewers is None else change.shared_with_viewers
            ),
            updated_at=now,
        )
        if change.config is None:
            return changed
        wanted = change.config.applied_to(kb.target_config or kb.config)
        _refuse_retyping(kb.config, wanted)
        served = kb.config.model_copy(
            update={
                "vector_weight": wanted.vector_weight,
                "minimum_confidence": wanted.minimum_confidence,
                "metadata_fields": wanted.metadata_fields,
            }
        )
        if kb.target_config is not None:
            if kb.target_config.needs_reindex(wanted):
                raise KnowledgeBaseReindexingError("A re-index is under way. Change chunking again when it is done.")
            return replace(changed, config=served, target_config=wanted)
        if not kb.config.needs_reindex(wanted):
            return replace(changed, config=wanted)
        return replace(
            changed,
            config=served,
            target=kb.newest + 1,
            newest=kb.newest + 1,
            target_config=wanted,
            due=now,
        )


def _moving(before: KnowledgeBase, after: KnowledgeBase) -> list[Write]:
    if before.workspace == after.workspace:
        return []
    return [LeaveWorkspace(before.workspace), EnterWorkspace(after.workspace)]


def _refuse_above_plan(document_limit: int | None, figures: Figures) -> None:
    most = figures.documents_per_knowledge_base
    if document_limit is not None and document_limit > most:
        raise DocumentLimitAbovePlanError(
            f"Your plan allows {most:,} documents in a knowledge base. Ask for that many at most, or move to a larger "
            "plan.",
            document_limit=document_limit,
            limit=most,
        )


def _refuse_retyping(old: KnowledgeBaseConfig, new: KnowledgeBaseConfig) -> None:
    for name, kind in new.metadata_fields.items():
        if old.metadata_fields.get(name, kind) is not kind:
            raise InvalidConfigurationError(
                f"The metadata field {name!r} is a {old.metadata_fields[name].value}. Add a field of another name.",
                field=name,
            )
