"""Two deployments of the same API, and time and ids that are the same in both: what differs is who else is there.

Ids of bases, workspaces, keys and so on are handed out by number, to each tenant from 1 on: two tenants have the same
ones, so nothing is kept apart by luck. Time stands still while a request runs and goes on with each step.
"""

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import apsw
import httpx

from shared.adapters.dynamodb.limits_clock import LimitsClock
from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.adapters.opensearch.client import connect
from shared.adapters.opensearch.counting import ScopeCounter
from shared.audit import events
from shared.audit.events import AuditEvent, AuditEventId
from shared.composition.app import build_whole_app, caller_of_bearer
from shared.composition.services import Services
from shared.kernel import clock, ids
from shared.kernel.ids import TenantId
from shared.kernel.tenants import TenantContextError, current_tenant_context
from shared.knowledge import keys
from shared.knowledge.policy import IngestionPolicy
from shared.limits.rules import SECOND_US
from shared.operations.capabilities import FETCH_POLICY, IDENTITY, RESOURCES, Queue, Table
from shared.operations.fetch_policy import FetchPolicy
from shared.operations.vector_cells import VECTOR_CELLS, VectorCell, VectorCells
from shared.retrieval.ports import ChunkIndex
from tests.api.door import MovableClock, authenticator_of
from tests.enrolment import Enrolment
from tests.ingestion.cloud import Cloud
from tests.ingestion.functions import services_of_all
from tests.isolation.background import Background
from tests.records import transactions_of
from tests.signing import TestSigner, open_signer
from tests.web_server import Site

MOST_AT_ONCE: Final = 25
OF_ALL: Final = "usr"
"""People belong to no tenant: they are numbered in the order in which a deployment gets to know them."""

DATED: Final = "exp"
"""What reads a moment from its own id; that of an export says up to when it goes."""


@dataclass
class Numbering:
    """Hands out ids and the time. `speaker` is the tenant that does something at `place`, unless the code knows whose
    it works for."""

    start: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    elapsed: timedelta = timedelta()
    place: str = ""
    speaker: str = ""
    counts: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.start + self.elapsed

    def go_on(self, minutes: int) -> None:
        """Let some time pass, a millisecond at least."""
        self.elapsed += timedelta(minutes=minutes, milliseconds=1)

    def new_id(self, prefix: str, now: datetime) -> str:
        counted = (self.place, "" if prefix == OF_ALL else self._whose(), prefix)
        number = self.counts[counted] = self.counts.get(counted, 0) + 1
        milliseconds = int(now.timestamp() * 1000) if prefix == DATED else 0
        return f"{prefix}_{ids.encode_base32(milliseconds << 80 | number, 26)}"

    def new_event(self, *, tenant: TenantId, **facts: Any) -> AuditEvent:
        """Return an event whose id says when it happened, and what: what happens at one moment has no order.

        Ids of messages are a queue's, and new each time.
        """
        facts["request_id"] = _OF_A_MESSAGE.sub("a-message", facts["request_id"])
        made = _genuine_event(tenant=tenant, **facts)
        told = json.dumps([tenant, *(str(facts[name]) for name in ("at", "actor", "operation", "resource", "outcome"))])
        number = self.counts[self.place, told, "aud"] = self.counts.get((self.place, told, "aud"), 0) + 1
        moment = int(made.at.timestamp() * 1000) << 80
        what = int.from_bytes(hashlib.sha256(told.encode()).digest()[:8]) << 16
        return replace(made, event_id=AuditEventId(f"aud_{ids.encode_base32(moment | what | number, 26)}"))

    def restart(self) -> None:
        """Begin anew, at the machine's own time: credentials of sessions are as old as they are."""
        self.counts.clear()
        self.start, self.elapsed = datetime.now(UTC).replace(microsecond=0), timedelta()

    def _whose(self) -> str:
        try:
            return current_tenant_context().tenant or self.speaker
        except TenantContextError:
            return self.speaker


_OF_A_MESSAGE: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_random_id = ids.new_id
_genuine_event = events.new_event
_document_id_of = keys.document_id_of


@contextmanager
def numbered(numbering: Numbering) -> Iterator[None]:
    """Let everything take its ids and the time from `numbering`; nothing waits for the machine's own clock."""
    with ExitStack() as patches:
        for genuine, own in ((_random_id, numbering.new_id), (_genuine_event, numbering.new_event)):
            name = genuine.__name__
            for module in [one for one in list(sys.modules.values()) if getattr(one, name, None) is genuine]:
                patches.enter_context(patch.object(module, name, own))
        for owner, attribute, value in (
            (clock.SystemClock, "now", lambda _: numbering.now()),
            (LimitsClock, "now_us", lambda _: int(numbering.now().timestamp() * SECOND_US)),
            # The same name in the same base is the same document, whoever's it is.
            (keys, "document_id_of", lambda key: _document_id_of(key.split("/", 2)[2])),
            (ScopeCounter.__init__, "__defaults__", (lambda: numbering.now().timestamp(),)),
            (Services, "policy", IngestionPolicy(reindex_pause_s=0)),
        ):
            patches.enter_context(patch.object(owner, attribute, value))
        try:
            yield
        finally:
            for module in list(sys.modules.values()):
                if getattr(module, "new_id", None) == numbering.new_id:  # imported meanwhile
                    module.new_id = _random_id  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Deployment:
    """One deployment with stores of its own. `forget_chunks` empties its chunk index, whatever that is."""

    cloud: Cloud
    app: Any
    people: Enrolment
    issuer: TestSigner
    index: ChunkIndex
    background: Background
    forget_chunks: Callable[[], None]
    site: Site | None = None
    """A site of the web that its tenants know."""

    def client(self, address: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(address, 1)), base_url="https://api.test"
        )

    def empty(self) -> None:
        """Forget every tenant, and whatever was still to be done for one."""
        for resource in RESOURCES:
            if isinstance(resource, Table):
                self._empty_table(self.cloud.address_of(resource))
            if isinstance(resource, Queue):
                self.cloud.sqs.purge_queue(QueueUrl=self.cloud.address_of(resource))
        self.background.forget()
        self.forget_chunks()
        self.people.known.clear()

    def _empty_table(self, name: str) -> None:
        pages = self.cloud.dynamodb.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
        found = [{"pk": item["pk"], "sk": item["sk"]} for page in pages for item in page["Items"]]
        doomed = [{"DeleteRequest": {"Key": key}} for key in found if key["pk"]["S"] != "keys"]
        for start in range(0, len(doomed), MOST_AT_ONCE):
            self.cloud.dynamodb.batch_write_item(RequestItems={name: doomed[start : start + MOST_AT_ONCE]})


class _ClockOfTheDoor(MovableClock):
    """The clock of everything else here."""

    def now(self) -> datetime:
        return clock.SystemClock().now()


def deploy_with_files(cloud: Cloud) -> Deployment:
    """Deploy with chunks in a file, as the local cloud has them."""
    return _deploy(cloud, lambda: _forget_rows(cloud.settings.local_folder / "vectors.sqlite"), None)


def deploy_with_cells(cloud: Cloud, node: str, prefix: str, site: Site) -> Deployment:
    """Deploy with two cells on a node of OpenSearch, in each of which tenants share an index or have their own.

    Names of all its indexes begin with `prefix`.
    """
    cells = [
        VectorCell(id=name, address=node, region="local", index_prefix=f"{prefix}-{name}")
        for name in ("main", "second")
    ]
    cloud.variables[VECTOR_CELLS] = VectorCells(cells=tuple(cells)).model_dump_json()
    cloud.variables[FETCH_POLICY.resource.variable] = FetchPolicy(reaches_loopback=True).model_dump_json()
    return _deploy(cloud, lambda: _forget_documents(node, prefix), site)


def _deploy(cloud: Cloud, forget_chunks: Callable[[], None], site: Site | None) -> Deployment:
    issuer = open_signer(cloud)
    authenticate = authenticator_of(cloud, _ClockOfTheDoor()).authenticate
    return Deployment(
        cloud,
        build_whole_app(cloud.settings, caller_of_bearer(authenticate)),
        Enrolment(DynamoTenancy(transactions_of(cloud), cloud.address_of(IDENTITY))),
        issuer,
        services_of_all(cloud)._adapters.chunk_index,
        Background(cloud),
        forget_chunks,
        site,
    )


def _forget_rows(file: Path) -> None:
    connection = apsw.Connection(str(file))
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'scopes'").fetchone():
        connection.execute("UPDATE scopes SET dropped = 1")
    connection.close()


def _forget_documents(node: str, prefix: str) -> None:
    """Leave nothing in the segments either, for they are what neighbours share."""
    client = connect(node)
    names = f"{prefix}-*"
    client.delete_by_query(index=names, body={"query": {"match_all": {}}}, params={"refresh": "true"})
    client.indices.forcemerge(index=names, params={"max_num_segments": 1, "request_timeout": 60})
    client.close()
