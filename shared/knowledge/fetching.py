"""Stage zero of what comes from the web: its file is fetched and put into the bucket, as an upload would be (K2).

The bucket's own event does the rest. A file is put only where there is none, so whoever comes second changes nothing.
"""

import logging
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from shared.kernel.clock import Clock
from shared.knowledge.attempts import SupersededError
from shared.knowledge.errors import (
    AttemptFailedError,
    AttemptsExhaustedError,
    BusyError,
    RetryLaterError,
    StaleWriteError,
)
from shared.knowledge.fetch_lifecycle import FETCH, fail_fetch, with_fetch_attempts
from shared.knowledge.lifecycle import is_of_failed_unit, reject
from shared.knowledge.messages import FetchUrlSource
from shared.knowledge.models import Attempts, Document, KnowledgeBase, ReasonCode, UrlSource
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.ports import DocumentRepository
from shared.knowledge.settlement import Settlement
from shared.knowledge.web_pages import PageRefusedError, PageUnavailableError, PromisedObjects, UrlReason, WebPages

_TRIES: Final = 50
_log = logging.getLogger("tessera.ingestion")


class Fetching:
    """Fetches files of documents, in counted, leased attempts."""

    def __init__(
        self,
        records: DocumentRepository,
        objects: PromisedObjects,
        pages: WebPages,
        clock: Clock,
        policy: IngestionPolicy,
    ) -> None:
        self._records = records
        self._objects = objects
        self._pages = pages
        self._clock = clock
        self._policy = policy
        self._settlement = Settlement(records, clock, policy)

    async def fetch(self, message: FetchUrlSource) -> None:
        """Put the file of one document; doing it twice changes nothing, and a delete or cancel meanwhile wins.

        Raises: BusyError, AttemptFailedError, AttemptsExhaustedError.
        """
        try:
            _, document, _ = await self._look(message)
            # What was put is looked at because of its event, or by the schedule.
            if not await self._is_there(document):
                await self._attempt(message)
        except SupersededError:
            return

    async def _look(self, message: FetchUrlSource) -> tuple[KnowledgeBase, Document, UrlSource]:
        """Return the records of `message` while its generation is the accepted one and awaits its file.

        Raises: SupersededError when it does not; AttemptsExhaustedError when this very generation is what failed.
        """
        kb = await self._records.knowledge_base(message.tenant, message.kb_id)
        document = await self._records.document(message.tenant, message.kb_id, message.document_id)
        if kb is None or kb.deleted_at is not None or document is None or document.is_deleted:
            raise SupersededError
        if is_of_failed_unit(document, message.generation, FETCH):
            raise _exhausted()
        source = document.url_source
        if not document.is_fetching or source is None or source.generation != message.generation:
            raise SupersededError
        return kb, document, source

    async def _attempt(self, message: FetchUrlSource) -> None:
        owner = secrets.token_hex(8)
        document, source, count = await self._begin(message, owner)
        try:
            content = await self._pages.fetch(message.tenant, source.url, self._policy.max_file_bytes)
            await self._look(message)
            await self._objects.put_once(document.tenant, document.key, content)
        except (SupersededError, AttemptsExhaustedError):
            raise
        except PageRefusedError as error:
            await self._end_refused(message, error)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is this attempt's outcome, and is raised on
            if not await self._is_there(document):
                await self._end_failed(message, owner, count, error)

    async def _is_there(self, document: Document) -> bool:
        return await self._objects.head(document.tenant, document.key) is not None

    async def _begin(self, message: FetchUrlSource, owner: str) -> tuple[Document, UrlSource, int]:
        """Take the lease, which counts an attempt; return what it is about, and which attempt it is."""
        for _ in range(_TRIES):
            kb, document, source = await self._look(message)
            now, known = self._clock.now(), source.attempts
            if known is not None and known.owner == owner:
                return document, source, known.count  # our write went through, its answer was lost
            if known is not None and now < known.until:
                raise BusyError(
                    "Another delivery works on this, or it rests after a failure.",
                    retry_after_s=(known.until - now) / timedelta(seconds=1),
                )
            count = 1 if known is None else known.count + 1
            if count > self._policy.attempts:
                # The last attempt was killed before it could say so.
                await self._give_up(message, ReasonCode.INTERRUPTED, None)
                raise _exhausted()
            leased = with_fetch_attempts(document, Attempts(count, now + self._policy.lease, owner))
            try:
                await self._settlement.settle(kb, document, leased)
            except StaleWriteError:
                continue
            return document, source, count
        raise _keeps_changing()

    async def _end_refused(self, message: FetchUrlSource, error: PageRefusedError) -> None:
        now = self._clock.now()
        await self._settle(message, lambda document: reject(document, error.reason, str(error), now))

    async def _end_failed(self, message: FetchUrlSource, owner: str, count: int, error: Exception) -> None:
        """Note a failed attempt and raise what the delivery must do now."""
        _log.warning("attempt failed", extra={"unit": FETCH}, exc_info=error)
        is_of_page = isinstance(error, PageUnavailableError)
        detail = str(error) if is_of_page else type(error).__name__
        if count >= self._policy.attempts:
            await self._give_up(message, UrlReason.UNREACHABLE if is_of_page else ReasonCode.FETCHING_FAILED, detail)
            raise _exhausted() from error
        rest_s = self._policy.backoff_s(count)

        def rest(document: Document) -> Document:
            known = None if document.url_source is None else document.url_source.attempts
            if known is None or known.owner != owner:
                raise SupersededError  # somebody took over after our lease ended
            return with_fetch_attempts(
                document, Attempts(count, self._clock.now() + timedelta(seconds=rest_s), owner=None)
            )

        await self._settle(message, rest)
        raise AttemptFailedError(
            f"Attempt {count} of {self._policy.attempts} failed. The next one follows by itself.",
            retry_after_s=rest_s,
        ) from error

    async def _give_up(self, message: FetchUrlSource, reason: str, detail: str | None) -> None:
        await self._settle(message, lambda document: fail_fetch(document, reason, detail))

    async def _settle(self, message: FetchUrlSource, change: Callable[[Document], Document]) -> None:
        """Commit `change` while the message's generation is under way, however often others interfere."""
        for _ in range(_TRIES):
            kb, document, _ = await self._look(message)
            try:
                await self._settlement.settle(kb, document, change(document))
            except StaleWriteError:
                continue
            return
        raise _keeps_changing()


def _exhausted() -> AttemptsExhaustedError:
    return AttemptsExhaustedError("The last attempt failed. The document says why; retry it when that is mended.")


def _keeps_changing() -> RetryLaterError:
    return RetryLaterError("The document keeps changing. The step is repeated.", retry_after_s=1)
