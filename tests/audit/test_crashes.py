"""Processes killed with SIGKILL at every call that recording, sealing and anchoring make: nothing is lost or doubled.

The processes are real, and so are the handlers and the stores (the emulator's). Each one that was killed is followed by
one that is not, which gets nothing but what AWS would deliver again: the queue, and the schedules.
"""

import secrets
from dataclasses import replace
from signal import SIGKILL

import pytest

from shared.audit.messages import RecordAccesses
from shared.kernel.ids import TenantId
from shared.operations.capabilities import ACCESS_QUEUE, AUDIT
from tests.audit.dying import PROCESSES, Death, ends_of, live
from tests.audit.logs import Log, earlier
from tests.audit.samples import events
from tests.ingestion.cloud import make_table

pytestmark = [pytest.mark.real_server, pytest.mark.slow]


@pytest.fixture(scope="module")
def new_play(cloud):
    """A table and a queue of its own, with five events in four messages, one of them sent twice."""

    def play():
        name = f"audit-{secrets.token_hex(8)}"
        make_table(cloud.dynamodb, AUDIT, name)
        queue = cloud.sqs.create_queue(QueueName=name)["QueueUrl"]
        own = replace(cloud, variables={**cloud.variables, AUDIT.variable: name, ACCESS_QUEUE.variable: queue})
        log = Log(own, TenantId(name))
        told = events(5, log.tenant, since=earlier())
        for few in (told[:2], told[2:3], told[2:3], told[3:]):
            message = RecordAccesses(tenant=log.tenant, events=tuple(few))
            cloud.sqs.send_message(QueueUrl=queue, MessageBody=message.model_dump_json())
        return log, told

    return play


def run(*lives):
    """Let processes live that work on a log; return how each ended."""
    return ends_of(live, [(log.cloud.variables, *life) for log, *life in lives])


@pytest.fixture(scope="module")
def calls_of_a_life(new_play):
    log, _ = new_play()
    calls = PROCESSES.Value("i", 0)
    assert run((log, Death(), calls)) == [0]
    return calls.value


async def at_rest(log, told):
    """Whether every event is sealed once, the chain is intact, its head is anchored, and nothing waits."""
    assert sorted(event.event_id for _, event in await log.sealed()) == [event.event_id for event in told]
    assert await log.findings() == ()
    assert [anchor async for anchor in log.anchors.anchors_after(log.tenant, 0)][-1] == await log.blocks.head(
        log.tenant
    )
    assert log.waiting() == []
    assert "unanchored" not in log.items()
    queue = log.cloud.variables[ACCESS_QUEUE.variable]
    assert "Messages" not in log.cloud.sqs.receive_message(QueueUrl=queue)


async def test_a_life_that_nothing_ends_leaves_all_at_rest(new_play):
    log, told = new_play()

    assert run((log, Death())) == [0]

    await at_rest(log, told)


async def test_a_process_killed_at_any_call_loses_and_doubles_nothing(new_play, calls_of_a_life):
    # A process remembers nothing when it is dead, so to die after one call is to die before the next.
    deaths = [Death(call) for call in range(1, calls_of_a_life + 1)] + [Death(calls_of_a_life, after=True)]
    plays = [new_play() for _ in deaths]

    killed = run(*((log, death) for (log, _), death in zip(plays, deaths, strict=True)))
    followed = run(*((log, Death()) for log, _ in plays))

    assert len(deaths) >= 15
    assert killed == [-SIGKILL] * len(deaths)
    assert followed == [0] * len(deaths)
    for (log, told), death in zip(plays, deaths, strict=True):
        try:
            await at_rest(log, told)
        except AssertionError as error:
            error.add_note(str(death))
            raise
