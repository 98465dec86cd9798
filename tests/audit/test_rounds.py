"""Whoever ends in the middle of a round keeps nobody from the next one: processes outlive their invocations."""

import asyncio

import pytest

from shared.audit.rounds import Rounds


@pytest.mark.parametrize("steps", [0, 1, 2], ids=["at once", "before a run begins", "while one works"])
def test_a_run_that_ended_with_its_invocation_is_begun_anew_by_the_next(steps):
    invocations: list[str] = []

    async def work(key):
        if len(invocations) == 1:
            await asyncio.Event().wait()
        return key.upper()

    rounds = Rounds(work)

    async def invocation():
        invocations.append("begun")
        if len(invocations) == 2:
            return await rounds.run("acme")
        first = asyncio.create_task(rounds.run("acme"))
        for _ in range(steps):
            await asyncio.sleep(0)
        second = asyncio.create_task(rounds.run("acme"))
        await asyncio.sleep(0)
        return first.done() or second.done()

    assert asyncio.run(invocation()) is False
    assert asyncio.run(invocation()) == "ACME"
