"""Anything at any moment: users, events, deliveries, duplicates, kills and time, in an order nobody chose (measure 8).

Several deliveries run at once, each stopped before its next external effect; the machine decides which one goes on.
When it stops, everything that is left is worked off, and the end must be what the bucket and the users' last words say.
"""

import logging
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.documents.chunking.config import ChunkingConfig
from shared.knowledge.config import ConfigChange
from shared.knowledge.keys import document_id_of
from shared.knowledge.knowledge_bases import KnowledgeBaseChange
from shared.knowledge.models import DocumentStatus, ReasonCode
from shared.tenancy.plans import STARTER
from tests.ingestion.outcome import check_rest, check_truth, name_of, served_text
from tests.ingestion.world import LOST, TENANT, World

NAMES = "abc"
CONTENTS = {"x": "one two three. " * 60, "y": "four five six. " * 60, "hostile": "hostile", "poison": "poison"}
DISTURBANCES = 2
LITTLE = 1_500
"""Room for one of the two longer contents, not for both."""


class Ingestion(RuleBasedStateMachine):
    """Three files, four contents, one knowledge base."""

    @initialize(places=st.sampled_from([1, 2, 5]), storage_bytes=st.sampled_from([LITTLE, 1_000_000]))
    def begin(self, places, storage_bytes):
        logging.getLogger("tessera").setLevel(logging.CRITICAL)
        figures = replace(STARTER, concurrent_documents=places, storage_bytes=storage_bytes)
        self.world = World(figures=figures)
        self.left = DISTURBANCES
        self.sizes = 0
        self.cancelled = {}
        self.buried = set()
        self.calls = []

    def key(self, name):
        return f"t/{TENANT}/kb/{self.world.base.kb_id}/{name}"

    # --- users -------------------------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(NAMES), content=st.sampled_from(sorted(CONTENTS)))
    def put(self, name, content):
        self.world.objects.put(self.key(name), CONTENTS[content].encode())
        self.world.take_events()

    @rule(name=st.sampled_from(NAMES))
    def remove(self, name):
        self.world.objects.remove(self.key(name))
        self.world.take_events()

    @rule(name=st.sampled_from(NAMES), position=st.integers(0, 5))
    def destroy_some_version(self, name, position):
        """Purging an old version, the current one, or a delete marker: each sends an event of its own."""
        versions = self.world.objects.stored.get(self.key(name), [])
        if versions:
            self.world.objects.destroy(self.key(name), versions[position % len(versions)].version_id)
            self.world.take_events()

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name):
        document_id = document_id_of(self.key(name))
        document = self.world.records.records.get((TENANT, self.world.base.kb_id, "doc", document_id))
        if document is None or document.is_deleted:
            return
        known = {stored.version_id for stored in self.world.objects.stored[self.key(name)]}
        self._call("delete", name, self.world.documents.delete(TENANT, self.world.base.kb_id, document_id), known)

    @rule(name=st.sampled_from(NAMES))
    def cancel(self, name):
        document_id = document_id_of(self.key(name))
        self._call("cancel", name, self.world.documents.cancel(TENANT, self.world.base.kb_id, document_id))

    @rule(name=st.sampled_from(NAMES))
    def retry(self, name):
        document_id = document_id_of(self.key(name))
        self._call(
            "retry", name, self.world.documents.retry(TENANT, self.world.base.kb_id, document_id, self.world.figures)
        )

    @rule()
    def reindex(self):
        self.sizes += 1
        config = ConfigChange(chunking=ChunkingConfig(max_tokens=60 + self.sizes, min_tokens=16, context_tokens=16,
                                                      overlap_tokens=0))  # fmt: skip
        change = KnowledgeBaseChange(config=config)
        update = self.world.knowledge_bases.update(TENANT, self.world.base.kb_id, change, self.world.figures)
        self._call("reindex", "", update)

    def _call(self, kind, name, coroutine, known=frozenset()):
        task = self.world.start(kind, coroutine)
        self.calls.append((task, kind, name, known))
        self._heed_answers()

    def _heed_answers(self):
        """Note what users were told: from then on it must hold."""
        for call in [call for call in self.calls if call[0].done]:
            task, kind, name, known = call
            self.calls.remove(call)
            if task.error is not None or (task.result is None and kind != "delete"):
                continue
            if kind == "delete":
                self.buried |= known
            if kind == "cancel" and task.result.source is not None:
                self.cancelled[name] = task.result.source.version_id
            if kind == "retry":
                self.cancelled.pop(name, None)

    # --- machines ----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self._to_deliver())
    @rule(data=st.data())
    def deliver(self, data):
        self.world.deliver(data.draw(st.sampled_from(self._to_deliver()), "message"))

    def _to_deliver(self):
        """A delivery that outlives its visibility is one of `deliver_twice`: no function runs that long unkilled."""
        under_way = [task.waiting for task in self.world.tasks]
        return [found for found in self.world.queues.deliverable() if found not in under_way]

    @precondition(lambda self: self.world.queues.waiting)
    @rule(data=st.data())
    def deliver_twice(self, data):
        """Also messages that are being worked on, and those that should still be hidden."""
        found = data.draw(st.sampled_from(self.world.queues.waiting), "message")
        self.world.deliver(found, duplicate=True)

    @precondition(lambda self: self.world.tasks)
    @rule(data=st.data(), effects=st.integers(1, 8))
    def go_on(self, data, effects):
        task = data.draw(st.sampled_from(self.world.tasks), "task")
        for _ in range(effects):
            if not task.done:
                self.world.step(task)
                self.check()

    @precondition(lambda self: self.world.tasks and self.left)
    @rule(data=st.data())
    def kill(self, data):
        task = data.draw(st.sampled_from(self.world.tasks), "task")
        self.left -= 1
        self.world.kill(task)
        self._repeat(task)

    @precondition(lambda self: self.world.tasks and self.left)
    @rule(data=st.data())
    def lose_an_answer(self, data):
        task = data.draw(st.sampled_from(self.world.tasks), "task")
        self.left -= 1
        self.world.step(task, LOST)
        if task.done:
            self._repeat(task)

    def _repeat(self, task):
        """A user whose request was not answered sends it again."""
        for call in [call for call in self.calls if call[0] is task]:
            self.calls.remove(call)
            _, kind, name, _ = call
            {"delete": self.delete, "cancel": self.cancel, "retry": self.retry}.get(kind, lambda name: None)(name)

    @rule(seconds=st.sampled_from([1, 60, 200, 1000, 100_000]))
    def wait(self, seconds):
        self.world.clock.advance(seconds)

    @rule()
    def tick(self):
        self.world.start("schedule", self.world.recovery.recover())

    # --- what holds --------------------------------------------------------------------------------------------------

    @invariant()
    def check(self):
        if not hasattr(self, "world"):
            return
        self._heed_answers()
        check_truth(self.world)
        for document in self.world.documents_now():
            for served in document.live.values():
                assert served.source.version_id not in self.buried, "deleted content is served"

    def teardown(self):
        if not hasattr(self, "world"):
            return
        world = self.world
        while world.tasks:
            world.step(world.tasks[0])
            self.check()
        world.settle_down(days=60)
        self.check()
        check_rest(world)
        self._check_end()

    def _check_end(self):
        world = self.world
        documents = {name_of(document): document for document in world.documents_now()}
        served: dict[str | None, list[str]] = {}
        for name in NAMES:
            current = world.objects.current(self.key(name))
            document = documents.get(name)
            if current is None or current.version_id in self.buried:
                assert document is None or document.is_deleted
                continue
            content = current.content.decode()
            assert document is not None, "a file nobody knows of"
            status, text = document.status, served_text(world, document)
            served.setdefault(text, []).append(name)
            if self.cancelled.get(name) == current.version_id and status is DocumentStatus.CANCELLED:
                continue
            match status:
                case DocumentStatus.READY:
                    assert text == content
                case DocumentStatus.REJECTED if document.reason == ReasonCode.STORAGE_QUOTA:
                    assert world.figures.storage_bytes == LITTLE
                case DocumentStatus.REJECTED:
                    assert content == "hostile"
                case DocumentStatus.FAILED:
                    assert content == "poison"
                case DocumentStatus.SKIPPED_DUPLICATE:
                    assert text != content
                case _:
                    raise AssertionError(f"{name} ended {status}")
        for name in NAMES:
            document = documents.get(name)
            if document is not None and document.status is DocumentStatus.SKIPPED_DUPLICATE:
                content = world.objects.current(self.key(name)).content.decode()
                assert len(served.get(content, [])) == 1, "a duplicate waits for nobody"
        assert world.base_now().target is None or any(document.reindex_failed for document in documents.values())
        self._check_dead_letters(documents)

    def _check_dead_letters(self, documents):
        by_id = {document.document_id: document for document in documents.values()}
        for message in self.world.queues.dead:
            assert type(message).__name__ == "ParseDocument", message
            assert by_id[message.document_id].accepted >= message.generation
        dead = {(message.document_id, message.generation) for message in self.world.queues.dead}
        for document in documents.values():
            if document.status is DocumentStatus.FAILED:
                assert (document.document_id, document.failure.generation) in dead, "the poison is not in its queue"


Ingestion.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestIngestion = pytest.mark.slow(Ingestion.TestCase)
