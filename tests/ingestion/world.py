"""All of ingestion on small stores in memory, one external effect at a time.

Every call of a port is an effect. Before it, the running task hands control back, so a test decides who goes on, who
is killed, and whose answer is lost. No effect escapes this: the ports themselves are wrapped.
"""

import types
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.documents.canonical import CanonicalText, Page
from shared.documents.rejections import RejectionReason, rejected
from shared.kernel.ids import TenantId
from shared.knowledge.config import KnowledgeBaseConfig
from shared.knowledge.documents import Documents
from shared.knowledge.fetching import Fetching
from shared.knowledge.indexing import Indexing
from shared.knowledge.intake import Intake
from shared.knowledge.knowledge_bases import KnowledgeBases
from shared.knowledge.messages import (
    AdvanceReindex,
    FetchUrlSource,
    IndexChunks,
    LookAgain,
    ParseDocument,
    PublishDocument,
    SweepDocument,
    SweepKnowledgeBase,
)
from shared.knowledge.models import Document, KnowledgeBase, Line, Tally, TenantTally
from shared.knowledge.parsing import Parsing
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import KnownFigures
from shared.knowledge.publishing import Publishing
from shared.knowledge.recovery import Recovery
from shared.knowledge.reindexing import Reindexing
from shared.knowledge.sweeping import Sweeping
from shared.knowledge.url_sources import UrlSources
from shared.knowledge.web_pages import PageRefusedError, PageUnavailableError, UrlReason
from shared.retrieval.embedding import CachedEmbedder
from shared.tenancy.plans import STARTER
from tests.ingestion.delivery import MemoryQueues
from tests.ingestion.memory import HashEmbedder, MemoryArtifacts, MemoryIndex, MemoryObjects, MemoryRecords, NoCache

TENANT = TenantId("acme")
POLICY = IngestionPolicy(batch_size=2, reindex_page=2, sweep_page=2)
LOST = "lost"


class SimulatedClock:
    def __init__(self):
        self.moment = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)

    def now(self):
        return self.moment

    def advance(self, seconds):
        self.moment += timedelta(seconds=seconds)


class LostAnswerError(Exception):
    """The effect happened, but its caller never heard of it."""


@types.coroutine
def _gate(name: str) -> Generator[str, Any, Any]:
    return (yield name)


class Gated:
    """A port whose every call is an effect that the test lets happen."""

    def __init__(self, name, port, finish=None):
        self._name = name
        self._port = port
        self._finish = finish

    def __getattr__(self, method):
        inner = getattr(self._port, method)
        name = f"{self._name}.{method}"
        if method == "due_records":
            return inner if self._finish is None else lambda *args: self._each(inner(*args))

        async def effect(*args, **kwargs):
            order = await _gate(name)
            call = inner(*args, **kwargs)
            result = await call if self._finish is None else self._finish(call)
            if order == LOST:
                raise LostAnswerError(name)
            return result

        return effect

    async def _each(self, found):
        while True:
            try:
                yield self._finish(anext(found))
            except StopAsyncIteration:
                return


class MemoryStores:
    """Everything that keeps something, in memory."""

    finish = None

    def __init__(self):
        self.records = MemoryRecords()
        self.objects = MemoryObjects()
        self.artifacts = MemoryArtifacts()
        self.index = MemoryIndex()

    def documents(self, kb_id):
        return [record for record in self.records.records.values() if isinstance(record, Document)]

    def base(self, kb_id):
        return self.records.records[TENANT, "kb", kb_id]

    def bases(self):
        return [record for record in self.records.records.values() if isinstance(record, KnowledgeBase)]

    def tally(self, kb_id):
        return self.records.tallies.get((TENANT, kb_id), Tally())

    def tenant_tally(self):
        return self.records.tenant_tallies.get(TENANT, TenantTally())

    def line(self):
        return self.records.lines.get(TENANT, Line())

    def waiting(self):
        tickets = self.records.tickets.get(TENANT, {})
        return [tickets[place] for place in sorted(tickets)]

    def line_dues(self):
        return list(self.records.lines_due.values())

    def text(self, document, generation):
        return self.artifacts.texts[TENANT, document.kb_id, document.document_id, generation].text

    def read_back(self, scope, document, served):
        found = self.index.chunks_of(TENANT, scope, document.document_id, served.generation)
        return sorted(found) == list(range(served.chunks))

    def events(self, expected=0):
        """Return the keys of all events since the last call, `expected` at least."""
        changed, self.objects.changed = self.objects.changed, []
        return changed


class WordTokenizer:
    limit = 256

    def spans(self, text):
        spans: list[tuple[int, int]] = []
        start: int | None = None
        for at, character in enumerate(text + " "):
            if character.isspace():
                if start is not None:
                    spans.append((start, at))
                start = None
            elif start is None:
                start = at
        return spans


class SimulatedParser:
    """Text files, of which some are hostile and some kill every attempt."""

    async def parse(self, name, content):
        if content.startswith(b"hostile"):
            raise rejected(RejectionReason.MALFORMED)
        if content.startswith(b"poison"):
            raise MemoryError("poison")
        text = content.decode()
        return CanonicalText(text, "txt", pages=(Page(1, 0, len(text)),))


class SimulatedWeb:
    """Pages by address; what is no text is a failure, and of a list each fetch gets the next."""

    def __init__(self):
        self.pages = {}
        self.asked = []

    def admit(self, url):
        return url

    async def fetch(self, tenant, url, max_bytes):
        self.asked.append(url)
        found = self.pages.get(url)
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if found is None:
            raise PageRefusedError(UrlReason.NOT_FOUND, "There is nothing.")
        if not isinstance(found, str):
            raise found
        return found.encode()


DOWN = PageUnavailableError("It does not answer.")


class Task:
    """A running coroutine, stopped before its next effect."""

    def __init__(self, name, coroutine, waiting=None):
        self.name = name
        self.waiting = waiting
        self.result = None
        self.error = None
        self.done = False
        self._coroutine = coroutine
        self.at = None
        self._advance(None)

    def step(self, order=None):
        """Let the next effect happen, and go on to the one after it."""
        assert not self.done
        self._advance(order)

    def _advance(self, order):
        try:
            self.at = self._coroutine.send(order)
        except StopIteration as stop:
            self.done, self.result = True, stop.value
        except Exception as error:  # noqa: BLE001 - as the queue's entry does
            self.done, self.error = True, error

    def kill(self):
        """End the process that runs this: no effect follows, no answer goes out."""
        self._coroutine.close()
        self.done = True


class World:
    """A knowledge base with its bucket, queues and stages."""

    def __init__(self, stores=None, figures=STARTER):
        self.figures = figures
        self.clock = SimulatedClock()
        self.queues = MemoryQueues(self.clock)
        self.stores = stores or MemoryStores()
        self.records, self.objects = self.stores.records, self.stores.objects
        self.artifacts, self.index = self.stores.artifacts, self.stores.index
        self.web = SimulatedWeb()
        self.tasks = []
        self._wire()
        created = self.knowledge_bases.create(TENANT, "Base", figures, config=KnowledgeBaseConfig())
        self.base = self.run(created).result

    def documents_now(self):
        return self.stores.documents(self.base.kb_id)

    def bases_now(self):
        return self.stores.bases()

    def base_now(self):
        return self.stores.base(self.base.kb_id)

    def _gated(self, name):
        return Gated(name, getattr(self, name), self.stores.finish)

    def _wire(self):
        records, objects = self._gated("records"), self._gated("objects")
        artifacts, index, queue = self._gated("artifacts"), self._gated("index"), Gated("queue", self.queues)
        parser, clock, figures = SimulatedParser(), self.clock, KnownFigures(self.figures)
        self.knowledge_bases = KnowledgeBases(records, queue, clock, POLICY)
        self.documents = Documents(records, objects, objects, queue, clock, POLICY)
        self.url_sources = UrlSources(records, queue, self.web, clock, POLICY)
        fetching = Fetching(records, objects, Gated("web", self.web, self.stores.finish), clock, POLICY)
        intake = Intake(records, objects, queue, figures, clock, POLICY)
        parsing = Parsing(records, objects, artifacts, queue, parser, WordTokenizer(), clock, POLICY)
        indexing = Indexing(records, artifacts, queue, index, CachedEmbedder(HashEmbedder(), NoCache()), clock, POLICY)
        publishing = Publishing(records, queue, index, clock, POLICY)
        sweeping = Sweeping(records, objects, artifacts, index, queue, clock, POLICY)
        reindexing = Reindexing(records, queue, clock, POLICY)
        self.recovery = Recovery(records, records, objects, queue, figures, clock, POLICY)

        self._consumers: dict[type, Any] = {
            LookAgain: intake.take,
            FetchUrlSource: fetching.fetch,
            ParseDocument: parsing.parse,
            IndexChunks: indexing.index,
            PublishDocument: publishing.publish,
            SweepDocument: sweeping.sweep_document,
            SweepKnowledgeBase: sweeping.sweep_knowledge_base,
            AdvanceReindex: reindexing.advance,
        }

    # --- one thing at a time -------------------------------------------------------------------------------------

    def start(self, name, coroutine):
        """Start what a user or the schedule asks for; it stops before its first effect."""
        return self._watch(Task(name, coroutine))

    def deliver(self, found, *, duplicate=False):
        """Deliver a message; a duplicate is delivered without the queue noticing."""
        if not duplicate:
            self.queues.receive(found)
        coroutine = self._consumers[type(found.message)](found.message)
        return self._watch(Task(type(found.message).__name__, coroutine, None if duplicate else found))

    def _watch(self, task):
        self.tasks.append(task)
        return self._settle(task)

    def step(self, task, order=None):
        effect = task.at
        task.step(order)
        if effect in {"objects.delete", "objects.purge", "objects.put_once"}:
            self.take_events(expected=int(effect != "objects.purge"))
        return self._settle(task)

    def kill(self, task):
        task.kill()
        self.tasks.remove(task)

    def take_events(self, expected=0):
        """Put what the bucket has to say into the queue."""
        for key in self.stores.events(expected):
            self.queues.put(LookAgain(keys=(key,)))

    def _settle(self, task):
        if task.done:
            self.tasks.remove(task)
            if task.waiting is not None:
                if task.error is None:
                    self.queues.acknowledge(task.waiting)
                else:
                    retry_after_s = getattr(task.error, "retry_after_s", None)
                    if retry_after_s is not None:
                        self.queues.postpone(task.waiting, retry_after_s)
        return task

    # --- whole runs ----------------------------------------------------------------------------------------------

    def run(self, coroutine, name="call"):
        """Run one thing to its end, alone."""
        task = self.start(name, coroutine)
        while not task.done:
            self.step(task)
        return task

    def work_off(self):
        """Deliver all that may be delivered now, one after the other, until nothing is left."""
        self.take_events()
        while True:
            ready = self.queues.deliverable()
            if not ready:
                return
            task = self.deliver(ready[0])
            while not task.done:
                self.step(task)

    def settle_down(self, days=30):
        """Finish what runs, then let time pass with the schedule until nothing is due any more."""
        while self.tasks:
            self.step(self.tasks[0])
        self.work_off()
        end = self.clock.now() + timedelta(days=days)
        while self.clock.now() < end:
            moments = [found.visible_at for found in self.queues.waiting]
            moments += self._dues()
            if not moments:
                return
            self.clock.moment = max(self.clock.now() + timedelta(seconds=1), min(moments))
            self.run(self.recovery.recover(), "schedule")
            self.work_off()
        raise AssertionError("something is due for ever")

    def _dues(self):
        dues = [record.due for record in [self.base_now(), *self.documents_now()]] + self.stores.line_dues()
        return [due for due in dues if due is not None]

    def quiet_down(self, hours=3):
        """Let some hours pass, with the schedule; what has to be cleared much later stays."""
        end = self.clock.now() + timedelta(hours=hours)
        self.work_off()
        while True:
            moments = [found.visible_at for found in self.queues.waiting]
            moments += self._dues()
            if not moments or min(moments) > end:
                return
            self.clock.moment = max(self.clock.now() + timedelta(seconds=1), min(moments))
            self.run(self.recovery.recover(), "schedule")
            self.work_off()
