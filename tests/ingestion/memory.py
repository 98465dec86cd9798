"""Small real stores in memory: they keep the ports' promises (the same contract tests hold them), at no cost."""

from dataclasses import dataclass, field, replace

import numpy as np

from shared.knowledge.errors import CapacityExhaustedError, DocumentLimitError, NoPlaceError, StaleWriteError
from shared.knowledge.models import ContentClaim, Document, KnowledgeBase, Line, ObjectVersion, Tally, TenantTally
from shared.knowledge.ports import (
    Check,
    CheckTally,
    Count,
    CountTenant,
    Due,
    Enter,
    Leave,
    MoveInLine,
    Put,
    Remove,
    Turn,
    UploadForm,
    WatchLine,
)
from shared.retrieval.ports import ReadBack


def _key(record):
    match record:
        case KnowledgeBase():
            return (record.tenant, "kb", record.kb_id)
        case Document():
            return (record.tenant, record.kb_id, "doc", record.document_id)
        case ContentClaim():
            return (record.tenant, record.kb_id, "hash", record.sha256)


class MemoryRecords:
    """Implements `DocumentRepository` and `DueRecords`."""

    def __init__(self):
        self.records = {}
        self.tallies = {}
        self.tenant_tallies = {}
        self.lines = {}
        self.lines_due = {}
        self.tickets = {}

    async def knowledge_base(self, tenant, kb_id):
        return self.records.get((tenant, "kb", kb_id))

    async def knowledge_bases(self, tenant, limit, after=None):
        found = [r for r in self.records.values() if isinstance(r, KnowledgeBase) and r.tenant == tenant]
        return sorted((r for r in found if r.kb_id > (after or "")), key=lambda r: r.kb_id)[:limit]

    async def document(self, tenant, kb_id, document_id):
        return self.records.get((tenant, kb_id, "doc", document_id))

    async def documents(self, tenant, kb_id, limit, after=None):
        found = [r for r in self.records.values() if isinstance(r, Document) and (r.tenant, r.kb_id) == (tenant, kb_id)]
        return sorted((r for r in found if r.document_id > (after or "")), key=lambda r: r.document_id)[:limit]

    async def claim(self, tenant, kb_id, sha256):
        return self.records.get((tenant, kb_id, "hash", sha256))

    async def tally(self, tenant, kb_id):
        return self.tallies.get((tenant, kb_id), Tally())

    async def tenant_tally(self, tenant):
        return self.tenant_tallies.get(tenant, TenantTally())

    async def line(self, tenant):
        return self.lines.get(tenant, Line())

    async def waiting(self, tenant, limit):
        tickets = self.tickets.get(tenant, {})
        return [tickets[place] for place in sorted(tickets)[:limit]]

    async def commit(self, tenant, writes):
        recorded = [write for write in writes if isinstance(write, Put | Check | Remove)]
        keys = [_key(write.record) for write in recorded]
        assert len(set(keys)) == len(keys), "a commit speaks of each record once"
        of_tenant = [type(write) for write in writes if isinstance(write, CountTenant | MoveInLine | WatchLine)]
        assert len(set(of_tenant)) == len(of_tenant), "a commit speaks of each counter once"
        if any(write.record.tenant != tenant for write in recorded):
            raise ValueError("A commit speaks of one tenant only.")
        if any(not self._is_as_read(tenant, write) for write in writes):
            raise StaleWriteError("changed")
        for write in writes:
            self._refuse(tenant, write)
        for write in writes:
            self._write(tenant, write)

    def _write(self, tenant, write):
        match write:
            case Put(record):
                self.records[_key(record)] = replace(record, revision=record.revision + 1)
            case Remove(record):
                del self.records[_key(record)]
            case Count(kb_id):
                tally = self.tallies.get((tenant, kb_id), Tally())
                self.tallies[tenant, kb_id] = Tally(
                    tally.documents + write.documents, tally.publishes + write.publishes, tally.bytes + write.bytes
                )
            case CountTenant():
                tally = self.tenant_tallies.get(tenant, TenantTally())
                self.tenant_tallies[tenant] = TenantTally(
                    tally.knowledge_bases + write.knowledge_bases,
                    tally.documents + write.documents,
                    tally.bytes + write.bytes,
                )
            case MoveInLine():
                line = self.lines.get(tenant, Line())
                places = line.places if write.places is None else write.places
                self.lines[tenant] = Line(line.processing + write.processing, line.waiting + write.waiting, places)
                if write.look_at is not None:
                    self.lines_due.setdefault(tenant, write.look_at)
            case WatchLine(places, due):
                self.lines[tenant] = replace(self.lines.get(tenant, Line()), places=places)
                self.lines_due.pop(tenant, None)
                if due is not None:
                    self.lines_due[tenant] = due
            case Enter(ticket):
                self.tickets.setdefault(tenant, {})[ticket.place] = ticket
            case Leave(place):
                del self.tickets[tenant][place]

    def _refuse(self, tenant, write):
        match write:
            case Count(kb_id, documents=more, limit=int(limit)):
                used = self.tallies.get((tenant, kb_id), Tally()).documents
                if used + more > limit:
                    raise DocumentLimitError("full", limit=limit, used=used)
            case CountTenant():
                used = self.tenant_tallies.get(tenant, TenantTally())
                for what, more, has, most in (
                    ("knowledge_bases", write.knowledge_bases, used.knowledge_bases, write.knowledge_base_limit),
                    ("storage_bytes", write.bytes, used.bytes, write.byte_limit),
                ):
                    if most is not None and has + more > most:
                        raise CapacityExhaustedError(what, most, has)
            case MoveInLine(turn=Turn() as turn):
                line = self.lines.get(tenant, Line())
                places = line.places if write.places is None else write.places
                if line.processing >= places or (turn is Turn.UNLESS_OTHERS_WAIT and line.waiting):
                    raise NoPlaceError

    def _is_as_read(self, tenant, write):
        match write:
            case Put(record) | Check(record) | Remove(record):
                current = self.records.get(_key(record))
                return (0 if current is None else current.revision) == record.revision
            case Count(kb_id, publishes_still=int(publishes)):
                return self.tallies.get((tenant, kb_id), Tally()).publishes == publishes
            case CheckTally(kb_id, tally):
                return replace(self.tallies.get((tenant, kb_id), Tally()), publishes=tally.publishes) == tally
            case WatchLine(due=None):
                return self.lines.get(tenant, Line()).waiting == 0
        return True

    async def due_records(self, now, limit):
        found = [r for r in self.records.values() if not isinstance(r, ContentClaim) and r.due and r.due <= now]
        dues = [(r.due, Due(r.tenant, r.kb_id, getattr(r, "document_id", None))) for r in found]
        dues += [(due, Due(tenant, None, None)) for tenant, due in self.lines_due.items() if due <= now]
        for _, due in sorted(dues, key=lambda found: found[0])[:limit]:
            yield due


@dataclass
class Stored:
    version_id: str
    content: bytes | None  # None is a delete marker


@dataclass
class MemoryObjects:
    """Implements `ObjectStore`, `PromisedObjects` and `UploadLinks`; `changed` holds the keys of all events."""

    changed: list[str] = field(default_factory=list)
    stored: dict[str, list[Stored]] = field(default_factory=dict)
    made: int = 0

    def put(self, key, content):
        self.made += 1
        self.stored.setdefault(key, []).append(Stored(f"v{self.made}", content))
        self.changed.append(key)
        return f"v{self.made}"

    def remove(self, key):
        self.put(key, None)

    def destroy(self, key, version_id):
        kept = [stored for stored in self.stored.get(key, []) if stored.version_id != version_id]
        if len(kept) != len(self.stored.get(key, [])):
            self.stored[key] = kept
            self.changed.append(key)

    def history(self, key):
        """Return the ids of all versions and delete markers, oldest first."""
        return [stored.version_id for stored in self.stored.get(key, [])]

    def current(self, key):
        versions = self.stored.get(key, [])
        return versions[-1] if versions and versions[-1].content is not None else None

    async def head(self, tenant, key):
        current = self.current(key)
        if current is None:
            return None
        return ObjectVersion(current.version_id, str(hash(current.content)), len(current.content))

    async def read(self, tenant, key, version_id):
        found = [stored for stored in self.stored.get(key, []) if stored.version_id == version_id]
        return found[0].content if found else None

    async def put_once(self, tenant, key, content):
        if self.current(key) is None:
            self.put(key, content)

    async def delete(self, tenant, key):
        self.remove(key)

    async def versions(self, tenant, key):
        return [stored.version_id for stored in reversed(self.stored.get(key, [])) if stored.content is not None]

    async def purge(self, tenant, key, version_ids):
        for version_id in version_ids:
            self.destroy(key, version_id)

    async def keys(self, tenant, prefix, limit, after=""):
        return sorted(k for k in self.stored if k.startswith(prefix) and k > after and self.current(k))[:limit]

    async def upload_form(self, tenant, key, *, max_bytes, expires_in_s, content_type=None, sha256=None):
        return UploadForm("memory:", {"key": key})

    async def download_link(self, tenant, key, version_id, *, name, expires_in_s):
        return f"memory:{key}?{version_id}"


class MemoryArtifacts:
    """Implements `ArtifactStore`."""

    def __init__(self):
        self.texts = {}
        self.manifests = {}

    async def put_text(self, tenant, kb_id, document_id, generation, text):
        self.texts.setdefault((tenant, kb_id, document_id, generation), text)

    async def get_text(self, tenant, kb_id, document_id, generation):
        return self.texts.get((tenant, kb_id, document_id, generation))

    async def put_manifest(self, tenant, kb_id, document_id, generation, manifest):
        self.manifests.setdefault((tenant, kb_id, document_id, generation), manifest)

    async def get_manifest(self, tenant, kb_id, document_id, generation):
        return self.manifests.get((tenant, kb_id, document_id, generation))

    async def delete_generation(self, tenant, kb_id, document_id, generation):
        self.texts.pop((tenant, kb_id, document_id, generation), None)
        self.manifests.pop((tenant, kb_id, document_id, generation), None)

    async def delete_document(self, tenant, kb_id, document_id):
        for store in (self.texts, self.manifests):
            for key in [key for key in store if key[:3] == (tenant, kb_id, document_id)]:
                del store[key]


class MemoryIndex:
    """The writing side of `ChunkIndex`: chunks appear to searches at a refresh, as in a real index."""

    def __init__(self):
        self.written = {}
        self.visible = {}

    async def write(self, tenant, scope, chunks):
        for chunk in chunks:
            self.written[tenant, scope, chunk.document_id, chunk.generation, chunk.ordinal] = chunk

    async def refresh(self, tenant, scope):
        self.visible = dict(self.written)

    async def read_back(self, tenant, scope, document_id, generation, last_ordinal):
        found = self.chunks_of(tenant, scope, document_id, generation)
        return ReadBack(len(found), 0 in found, last_ordinal in found)

    def chunks_of(self, tenant, scope, document_id, generation):
        wanted = (tenant, scope, document_id, generation)
        return {key[4]: chunk for key, chunk in self.visible.items() if key[:4] == wanted}

    async def delete_document_generation(self, tenant, scope, document_id, generation):
        doomed = [key for key in self.written if key[:4] == (tenant, scope, document_id, generation)]
        for key in doomed:
            del self.written[key]
            self.visible.pop(key, None)
        return len(doomed)

    async def delete_scope(self, tenant, scope):
        for store in (self.written, self.visible):
            for key in [key for key in store if key[:2] == (tenant, scope)]:
                del store[key]


class HashEmbedder:
    """One deterministic vector per text; the protocol does not ask what it means."""

    model_id = "hash"
    dimensions = 2

    async def embed(self, texts):
        return np.ones((len(texts), 2), dtype=np.float32)


class NoCache:
    """Implements `EmbeddingCache` by forgetting everything, which costs time, never correctness."""

    async def get_many(self, tenant, hashes):
        return {}

    async def put_many(self, tenant, vectors):
        return None
