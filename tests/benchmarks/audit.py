"""How fast a log is verified, and that many sealers that are killed on their way lose and double nothing (T7)."""

import asyncio
import os
import random
import secrets
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from shared.adapters.dynamodb.audit_blocks import block_item, head_item
from shared.adapters.dynamodb.audit_keys import pending_item
from shared.adapters.dynamodb.keys import tenant_partition
from shared.audit.chain import MOST_EVENTS, Block, genesis, make_block
from shared.audit.log_verification import PART
from shared.audit.verification import ChainVerifier, Progress
from shared.kernel.ids import TenantId, new_id
from shared.operations.capabilities import AUDIT
from tests.audit.dying import PROCESSES
from tests.audit.logs import Log, earlier
from tests.audit.samples import ACME, MORNING, event
from tests.benchmarks.table import Table
from tests.ingestion.cloud import Cloud, make_table, running_cloud

EVENTS: Final = 100_000
TENANTS: Final = 200
"""The emulator looks through a whole table to query an index, so each tenant has one of its own, and a small one."""
SEALERS: Final = 4
KILLS: Final = 20
BETWEEN_KILLS_S: Final = 2.0
BAR: Final = 50_000
ROUNDS: Final = 5
ACTORS: Final = 40
DOCUMENTS: Final = 5_000
OPERATIONS: Final = ("get_document", "get_document_content", "list_documents", "search_knowledge_base")
_AT_ONCE: Final = 25
"""Items that DynamoDB takes in one batch."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What some work took: by the clock, and of this process's CPU."""

    seconds: float
    cpu_seconds: float

    @classmethod
    def by(cls, work: Callable[[], object]) -> "Taken":
        started, used = time.perf_counter(), time.process_time()
        work()
        return cls(time.perf_counter() - started, time.process_time() - used)


def run() -> Table:
    blocks = _chain_of_many(EVENTS)
    rows = [_row("verify blocks in memory", _best(lambda: _verify_pure(blocks)))]
    with tempfile.TemporaryDirectory() as folder, running_cloud(Path(folder)) as cloud:
        log = _stored_log(cloud, blocks)
        rows.append(_row("verify, read from the emulator", _best(lambda: _verify_stored(log))))
        rows.append(_row("read the same items with boto3 alone", _best(lambda: _read(log)), barred=False))
        rows.append(_row(f"seal with {SEALERS} processes, {KILLS} killed", _sealed_by_many(cloud), barred=False))
    return Table(
        "Audit log",
        f"{EVENTS:,} events of {ACTORS} people on {DOCUMENTS} documents, {_bytes_of(blocks)} bytes each and "
        f"{_bytes_stored(blocks)} as they are stored; best of {ROUNDS} for verifying, which takes one core. CPU is "
        "that of the process that verifies, the rest of the time is the emulator's; the bar is "
        f"{BAR:,} events/s by the clock. Sealing is of "
        f"{TENANTS} tenants by {SEALERS} processes in any order, one of them killed (SIGKILL) every "
        f"{BETWEEN_KILLS_S:g} s and followed by another: afterwards every event stands in its chain once, none is "
        "left, and every chain is intact; how long that takes is the emulator's.",
        ("what", "seconds", "CPU seconds", "events/s", "events/s of CPU", "of the bar"),
        rows,
    )


def _verify_pure(blocks: Sequence[Block]) -> None:
    verifier = ChainVerifier(ACME, Progress.at(genesis(ACME)))
    for block in blocks:
        verifier.take(block)
    verifier.finish(blocks[-1].end)
    assert (verifier.findings, verifier.events) == ([], EVENTS)


def _chain_of_many(count: int) -> list[Block]:
    """Return the blocks of a log as several people fill it: what is alike in all lines packs too well."""
    chance = random.Random(7)
    people = [new_id("usr", MORNING) for _ in range(ACTORS)]
    documents = [
        f"knowledge-bases/{new_id('kb', MORNING)}/documents/{new_id('doc', MORNING)}" for _ in range(DOCUMENTS)
    ]
    place, blocks = genesis(ACME), []
    for start in range(0, count, MOST_EVENTS):
        waiting = [
            event(
                at=MORNING + timedelta(milliseconds=number),
                actor=chance.choice(people),
                resource=chance.choice(documents),
                ip=f"203.0.113.{chance.randrange(256)}",
                request_id=secrets.token_urlsafe(12),
                operation=chance.choice(OPERATIONS),
            )
            for number in range(start, min(start + MOST_EVENTS, count))
        ]
        blocks.append(make_block(ACME, place, waiting))
        place = blocks[-1].end
    return blocks


def _bytes_of(blocks: Sequence[Block]) -> int:
    return sum(len(line) for block in blocks for line in block.lines) // EVENTS


def _bytes_stored(blocks: Sequence[Block]) -> int:
    return sum(len(block_item(block)["lines"]["B"]) for block in blocks) // EVENTS


def _stored_log(cloud: Cloud, blocks: Sequence[Block]) -> Log:
    log = _log_of(cloud, ACME)
    for block in blocks:
        log.put(block_item(block))
    log.put(head_item(ACME, blocks[-1].end))
    return log


def _verify_stored(log: Log) -> None:
    whole = asyncio.run(log.verification.verify_all(log.tenant, None, EVENTS))
    assert (whole.findings, whole.following, whole.events) == ((), None, EVENTS)


def _read(log: Log) -> None:
    pages = log.cloud.dynamodb.get_paginator("query").paginate(
        TableName=log.table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": tenant_partition(log.tenant)}},
        ConsistentRead=True,
        PaginationConfig={"PageSize": PART},
    )
    assert sum(page["Count"] for page in pages) == -(-EVENTS // MOST_EVENTS) + 1


def _sealed_by_many(cloud: Cloud) -> Taken:
    logs = [_log_of(cloud, TenantId(f"tenant-{number}")) for number in range(TENANTS)]
    told = {log.tenant: _recorded(log, EVENTS // TENANTS) for log in logs}
    taken = Taken.by(lambda: _seal_with_deaths(logs))
    for log in logs:
        sealed = [one.event_id for _, one in asyncio.run(log.sealed())]
        assert sorted(sealed) == told[log.tenant], "An event was lost or doubled."
        assert log.waiting() == []
        assert asyncio.run(log.findings()) == ()
    return taken


def _log_of(cloud: Cloud, tenant: TenantId) -> Log:
    name = f"audit-{secrets.token_hex(8)}"
    make_table(cloud.dynamodb, AUDIT, name)
    return Log(replace(cloud, variables={**cloud.variables, AUDIT.variable: name}), tenant)


def _recorded(log: Log, count: int) -> list[str]:
    """Record so many events; return their ids."""
    since = earlier()
    told = [event(log.tenant, since + timedelta(milliseconds=number)) for number in range(count)]

    def put(start: int) -> None:
        left: Any = {log.table: [{"PutRequest": {"Item": pending_item(one)}} for one in told[start : start + _AT_ONCE]]}
        while left:
            left = log.cloud.dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems")

    with ThreadPoolExecutor(SEALERS) as threads:
        list(threads.map(put, range(0, count, _AT_ONCE)))
    return [one.event_id for one in told]


def _seal_with_deaths(logs: list[Log]) -> None:
    """Keep `SEALERS` processes sealing until nothing is left, and kill one of them every now and then."""
    processes = [_sealer(logs) for _ in range(SEALERS)]
    for kill in range(KILLS):
        time.sleep(BETWEEN_KILLS_S)
        processes[kill % SEALERS].kill()
        processes[kill % SEALERS].join()
        processes[kill % SEALERS] = _sealer(logs)
    for process in processes:
        process.join()
        assert process.exitcode == 0


def _sealer(logs: list[Log]) -> Any:
    places = [(log.cloud.variables, log.tenant) for log in random.sample(logs, len(logs))]
    process = PROCESSES.Process(target=seal_all, args=(places,))
    process.start()
    return process


def seal_all(places: list[tuple[dict[str, str], TenantId]]) -> None:
    """Seal whatever waits for these tenants, in this order."""
    os.environ.update({name: value for name, value in places[0][0].items() if name.startswith("AWS_")})
    client = Cloud(places[0][0], {}).dynamodb

    async def seal() -> None:
        for variables, tenant in places:
            log = Log(Cloud(variables, {}), tenant)
            log.cloud.__dict__["dynamodb"] = client  # made once: a client takes longer than a tenant
            await log.sealer().seal(tenant)

    asyncio.run(seal())


def _best(work: Callable[[], object]) -> Taken:
    return min((Taken.by(work) for _ in range(ROUNDS)), key=lambda taken: taken.seconds)


def _row(what: str, taken: Taken, *, barred: bool = True) -> tuple[str, ...]:
    by_clock = EVENTS / taken.seconds
    rates = (f"{EVENTS / taken.cpu_seconds:,.0f}", f"{by_clock / BAR:.1f}×") if barred else ("–", "–")
    return (what, f"{taken.seconds:.2f}", f"{taken.cpu_seconds:.2f}", f"{by_clock:,.0f}", *rates)
