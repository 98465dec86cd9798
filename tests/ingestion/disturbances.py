"""A world in which a process is killed, or an answer lost, at one chosen effect; and what users do in it."""

from dataclasses import dataclass

from shared.documents.chunking.config import ChunkingConfig
from shared.kernel.ids import UploadId
from shared.knowledge.config import ConfigChange
from shared.knowledge.errors import DocumentNotFoundError, NothingToCancelError, NothingToRetryError
from shared.knowledge.keys import document_id_of
from shared.knowledge.knowledge_bases import KnowledgeBaseChange
from shared.knowledge.messages import LookAgain
from shared.knowledge.url_sources import UrlRequest
from shared.tenancy.plans import STARTER
from tests.ingestion.outcome import check_truth
from tests.ingestion.world import LOST, TENANT, LostAnswerError, World

KILLED = "killed"
MOVES_TRUTH = {
    "records.commit",
    "index.write",
    "index.refresh",
    "index.delete_document_generation",
    "index.delete_scope",
}
"""The effects that change what `check_truth` compares; what users do changes only files, of which it knows nothing."""
SMALLER = ConfigChange(chunking=ChunkingConfig(max_tokens=100, min_tokens=16, context_tokens=16))


@dataclass
class Disturbance:
    """Which effect to disturb, counted from the story's beginning, and how."""

    effect: int = -1
    how: str = KILLED


class DisturbedWorld(World):
    """A world with a user in it, in which one effect goes wrong."""

    def __init__(self, disturbance, stores=None, figures=STARTER):
        self.effects = 0
        self.names = []
        self._may_differ = True
        self._disturbance = None
        self._is_watched = stores is None  # reading everything between any two effects costs nothing in memory only
        super().__init__(stores, figures)
        self.effects = 0
        self._disturbance = disturbance

    def step(self, task, order=None):
        planned = self._disturbance
        if planned is None:  # the knowledge base itself is being created
            return super().step(task, order)
        self.effects += 1
        self.names.append(task.at)
        # What comes before the disturbance was looked at when the story was played without one.
        if self._is_watched and self._may_differ and self.effects >= planned.effect:
            check_truth(self)
        self._may_differ = task.at in MOVES_TRUTH
        if self.effects == planned.effect:
            if planned.how == LOST:
                return super().step(task, LOST)
            task.kill()
            task.error = LostAnswerError("killed")
            self.tasks.remove(task)
            return task
        return super().step(task, order)

    # --- what a user does: puts files, and repeats a request that was not answered ---------------------------------

    def key(self, name):
        return f"t/{TENANT}/kb/{self.base.kb_id}/{name}"

    def put(self, name, content):
        """Drop a file into the bucket; return its version."""
        return self.put_key(self.key(name), content)

    def put_key(self, key, content):
        version = self.objects.put(key, content.encode())
        self.take_events(expected=1)
        return version

    def remove(self, name):
        self.objects.remove(self.key(name))
        self.take_events(expected=1)

    def destroy(self, name, version):
        self.objects.destroy(self.key(name), version)
        self.take_events(expected=1)

    def insist(self, request, *fine):
        while True:
            task = self.run(request())
            if task.error is None or isinstance(task.error, fine):
                return task.result
            assert isinstance(task.error, LostAnswerError), task.error

    def delete(self, name):
        document_id = document_id_of(self.key(name))
        self.insist(lambda: self.documents.delete(TENANT, self.base.kb_id, document_id), DocumentNotFoundError)

    def cancel(self, name):
        document_id = document_id_of(self.key(name))
        self.insist(lambda: self.documents.cancel(TENANT, self.base.kb_id, document_id), NothingToCancelError)

    def retry(self, name):
        document_id = document_id_of(self.key(name))
        self.insist(
            lambda: self.documents.retry(TENANT, self.base.kb_id, document_id, self.figures), NothingToRetryError
        )

    def add_url(self, name, page):
        """Name a web address at which `page` stands; return the document."""
        request = UrlRequest(f"https://web.example/{name}", name)
        self.web.pages[request.url] = page
        return self.insist(
            lambda: self.url_sources.add(TENANT, self.base.kb_id, request, self.figures, UploadId(f"upload_{name}"))
        )

    def delete_document(self, document):
        self.insist(lambda: self.documents.delete(TENANT, self.base.kb_id, document.document_id), DocumentNotFoundError)

    def cancel_document(self, document):
        self.insist(lambda: self.documents.cancel(TENANT, self.base.kb_id, document.document_id), NothingToCancelError)

    def retry_document(self, document):
        self.insist(
            lambda: self.documents.retry(TENANT, self.base.kb_id, document.document_id, self.figures),
            NothingToRetryError,
        )

    def reindex(self):
        change = KnowledgeBaseChange(config=SMALLER)
        self.insist(lambda: self.knowledge_bases.update(TENANT, self.base.kb_id, change, self.figures))

    def work_off_without(self, kinds, limit=1000):
        """Deliver what may be delivered now, except messages of some kinds, which stay where they are."""
        for _ in range(limit):
            ready = [found for found in self.queues.deliverable() if not kinds or not isinstance(found.message, kinds)]
            if not ready:
                return
            task = self.deliver(ready[0])
            while not task.done:
                self.step(task)

    def accept(self):
        """Let all events be looked at, and nothing more."""
        while events := [found for found in self.queues.waiting if isinstance(found.message, LookAgain)]:
            self.clock.moment = max([self.clock.now(), *(found.visible_at for found in events)])
            for found in events:
                task = self.deliver(found)
                while not task.done:
                    self.step(task)
