"""Stage two: from the original file to canonical text and chunks, written once per generation (K2, K3, K4)."""

import hashlib
from dataclasses import replace

from shared.documents.canonical import CanonicalText
from shared.documents.chunking.chunker import chunk
from shared.documents.ports import Parser, Tokenizer
from shared.documents.rejections import RejectionReason, rejected
from shared.documents.serialisation import ChunkManifest
from shared.kernel.clock import Clock
from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId, TenantId
from shared.knowledge.attempts import PARSE, AttemptLedger, Leased, SupersededError, Unit
from shared.knowledge.errors import ContentGoneError
from shared.knowledge.lifecycle import move_to_stage, restart_under, with_attempts
from shared.knowledge.messages import IndexChunks, LookAgain, Message, ParseDocument, parse_of
from shared.knowledge.models import Document, KnowledgeBase, Purpose, Stage, Work
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import ArtifactStore, DocumentRepository, ObjectStore, WorkQueue


class Parsing:
    """Parses and chunks one generation, then hands its batches on."""

    def __init__(
        self,
        records: DocumentRepository,
        objects: ObjectStore,
        artifacts: ArtifactStore,
        queue: WorkQueue,
        parser: Parser,
        tokenizer: Tokenizer,
        clock: Clock,
        policy: IngestionPolicy,
    ) -> None:
        self._attempts = AttemptLedger(records, queue, clock, policy)
        self._objects = objects
        self._artifacts = artifacts
        self._queue = queue
        self._parser = parser
        self._tokenizer = tokenizer
        self._clock = clock
        self._policy = policy

    async def parse(self, message: ParseDocument) -> None:
        """Bring one generation from `accepted` to `indexing`; doing it twice changes nothing.

        Raises: BusyError, AttemptFailedError, AttemptsExhaustedError.
        """
        unit = Unit(message.tenant, message.kb_id, message.document_id, message.generation, PARSE)
        try:
            _, document, work = await self._attempts.look(unit)
            if work.stage in {Stage.INDEXING, Stage.PUBLISHING}:
                await self._queue.send(index_messages(document))
                return
            messages: list[Message] = []  # a rejected document ends the attempt quietly, with nothing to send
            async with self._attempts.attempt(unit, entering=Stage.PARSING) as leased:
                messages = await self._run(leased)
            await self._queue.send(messages)
        except SupersededError:
            return

    async def _run(self, leased: Leased) -> list[Message]:
        config = leased.kb.config_of(leased.work.index_generation)
        if config is None:
            return await self._move_on(leased)
        text = await self._text(leased)
        if text is None:
            return await self._source_gone(leased)
        stored = await self._artifacts.get_manifest(*_place(leased))
        if stored is None:
            chunks = chunk(text, config.chunking, self._tokenizer)
            digest = hashlib.sha256(text.text.encode("utf-8", "surrogatepass")).hexdigest()
            await self._artifacts.put_manifest(
                *_place(leased), ChunkManifest(chunks, digest, config.chunking.strategy.value)
            )
            # Read back: another attempt of this generation may have written first, and the first one counts.
            stored = await self._artifacts.get_manifest(*_place(leased))
        if stored is None:
            raise ContentGoneError("The manifest is not there after it was written.")
        if not stored.chunks:
            raise rejected(RejectionReason.NO_TEXT)
        settled = await self._attempts.settle(
            leased.unit, lambda _kb, document: self._parsed(document, text, len(stored.chunks))
        )
        return index_messages(settled.document)

    def _parsed(self, document: Document, text: CanonicalText, chunks: int) -> Document:
        work = document.work
        if work is None or work.stage is not Stage.PARSING:
            return document  # another attempt of the same generation came to the same end
        known = replace(
            work,
            pages=len(text.pages),
            chunks=chunks,
            batches=-(-chunks // self._policy.batch_size),
            format=text.format,
            title=text.title,
            warnings=text.warnings,
        )
        done = with_attempts(replace(document, work=known), PARSE, None)
        return move_to_stage(done, Stage.INDEXING, self._clock.now())

    async def _text(self, leased: Leased) -> CanonicalText | None:
        """Return the text of the generation, from its artifact if one was written; None when its source is gone."""
        unit, work = leased.unit, leased.work
        text = await self._artifacts.get_text(*_place(leased))
        if text is not None:
            return text
        if work.text_of is not None:
            text = await self._artifacts.get_text(unit.tenant, unit.kb_id, unit.document_id, work.text_of)
        if text is None:
            content = await self._objects.read(unit.tenant, leased.document.key, work.source.version_id)
            if content is None:
                return None
            text = await self._parser.parse(leased.document.name, content)
        await self._artifacts.put_text(*_place(leased), text)
        return await self._artifacts.get_text(*_place(leased))

    async def _source_gone(self, leased: Leased) -> list[Message]:
        """The version is gone, so the object changed and is looked at again; a re-index of it cannot go on."""
        if leased.work.purpose is Purpose.REINDEX:
            raise ContentGoneError("Neither the text nor the original of the served version is left. Upload it again.")
        await self._attempts.settle(leased.unit, lambda _kb, document: with_attempts(document, PARSE, None))
        return [LookAgain(keys=(leased.document.key,))]

    async def _move_on(self, leased: Leased) -> list[Message]:
        """The knowledge base moved on to another index generation: take a new generation under that."""
        return await move_on(self._attempts, leased.unit, self._clock, self._policy)


async def move_on(attempts: AttemptLedger, unit: Unit, clock: Clock, policy: IngestionPolicy) -> list[Message]:
    """Start the content again under the serving index generation; a re-index that lost its target just ends."""

    def change(kb: KnowledgeBase, document: Document) -> Document:
        return restart_under(document, kb.serving, clock.now(), policy)

    settled = await attempts.settle(unit, change, insist_on_base=True)
    return [parse_of(settled.document)] if settled.document.work is not None else []


def index_messages(document: Document) -> list[Message]:
    """Return the messages for all batches of the work under way that are not done; empty without such work."""
    work: Work | None = document.work
    if work is None or work.stage is not Stage.INDEXING:
        return []
    return [
        IndexChunks(
            tenant=document.tenant,
            kb_id=document.kb_id,
            document_id=document.document_id,
            generation=work.generation,
            batch=batch,
        )
        for batch in range(work.batches)
        if batch not in work.batches_done
    ]


def _place(leased: Leased) -> tuple[TenantId, KnowledgeBaseId, DocumentId, Generation]:
    unit = leased.unit
    return unit.tenant, unit.kb_id, unit.document_id, unit.generation
