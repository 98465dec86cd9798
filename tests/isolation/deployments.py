"""Two deployments of the same API, and time and ids that are the same in both: what differs is who else is there.

Ids of bases, workspaces, keys and so on are handed out by number, to each tenant from 1 on: two tenants have the same
ones, so nothing is kept apart by luck. Time stands still while a request runs and goes on with each step.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

import apsw
import httpx

from shared.adapters.dynamodb.limits_clock import LimitsClock
from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.composition.app import build_whole_app, caller_of_bearer
from shared.kernel import clock, ids
from shared.knowledge import keys
from shared.limits.rules import SECOND_US
from shared.operations.capabilities import IDENTITY, LIMITS, METADATA
from tests.api.door import MovableClock, authenticator_of
from tests.enrolment import Enrolment
from tests.ingestion.cloud import Cloud
from tests.records import transactions_of
from tests.signing import TestSigner, open_signer

MOST_AT_ONCE: Final = 25
GLOBAL_KINDS: Final = {"usr", "req"}
"""People belong to no tenant; requests are numbered for logs."""


@dataclass
class Numbering:
    """Hands out ids and the time; `speaker` is the tenant that sends the request under way."""

    start: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    steps: int = 0
    speaker: str = ""
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.start + timedelta(milliseconds=self.steps)

    def new_id(self, prefix: str, now: datetime) -> str:
        if prefix in GLOBAL_KINDS:
            return _random_id(prefix, now)
        number = self.counts[self.speaker, prefix] = self.counts.get((self.speaker, prefix), 0) + 1
        return f"{prefix}_{ids.encode_base32(number, 26)}"

    def restart(self) -> None:
        self.counts.clear()


_random_id = ids.new_id
_document_id_of = keys.document_id_of


@contextmanager
def numbered(numbering: Numbering) -> Iterator[None]:
    """Let everything take its ids and the time from `numbering`."""
    named = [module for module in list(sys.modules.values()) if getattr(module, "new_id", None) is _random_id]
    with (
        patch.object(clock.SystemClock, "now", lambda _: numbering.now()),
        patch.object(LimitsClock, "now_us", lambda _: int(numbering.now().timestamp() * SECOND_US)),
        # The same name in the same base is the same document, whoever's it is.
        patch.object(keys, "document_id_of", lambda key: _document_id_of(key.split("/", 2)[2])),
    ):
        for module in named:
            module.new_id = numbering.new_id  # type: ignore[attr-defined]
        try:
            yield
        finally:
            for module in list(sys.modules.values()):
                if getattr(module, "new_id", None) == numbering.new_id:
                    module.new_id = _random_id  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Deployment:
    """One deployment with stores of its own."""

    cloud: Cloud
    app: Any
    people: Enrolment
    issuer: TestSigner
    index: SqliteChunkIndex

    def client(self, address: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(address, 1)), base_url="https://api.test"
        )

    def empty(self) -> None:
        """Forget every tenant."""
        for table in (METADATA, IDENTITY, LIMITS):
            name = self.cloud.address_of(table)
            pages = self.cloud.dynamodb.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
            found = [{"pk": item["pk"], "sk": item["sk"]} for page in pages for item in page["Items"]]
            doomed = [{"DeleteRequest": {"Key": key}} for key in found if key["pk"]["S"] != "keys"]
            for start in range(0, len(doomed), MOST_AT_ONCE):
                self.cloud.dynamodb.batch_write_item(RequestItems={name: doomed[start : start + MOST_AT_ONCE]})
        self.index.close()
        connection = apsw.Connection(str(self.cloud.settings.local_folder / "vectors.sqlite"))
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'scopes'").fetchone():
            connection.execute("UPDATE scopes SET dropped = 1")
        connection.close()
        self.people.known.clear()


class _ClockOfTheDoor(MovableClock):
    """The clock of everything else here."""

    def now(self) -> datetime:
        return clock.SystemClock().now()


def deploy(cloud: Cloud) -> Deployment:
    issuer = open_signer(cloud)
    authenticate = authenticator_of(cloud, _ClockOfTheDoor()).authenticate
    return Deployment(
        cloud,
        build_whole_app(cloud.settings, caller_of_bearer(authenticate)),
        Enrolment(DynamoTenancy(transactions_of(cloud), cloud.address_of(IDENTITY))),
        issuer,
        SqliteChunkIndex(cloud.settings.local_folder / "vectors.sqlite"),
    )
