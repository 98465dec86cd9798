"""Readiness (`get_readiness`) names the parts that do not answer, and waits for none of them for long."""

import asyncio

import pytest

from shared.composition import readiness
from shared.composition.readiness import NotReadyError, check


async def answers() -> None:
    """Answer."""


async def breaks() -> None:
    raise ConnectionError("secret address")


async def hangs() -> None:
    await asyncio.sleep(60)


async def test_all_parts_that_answer_are_named():
    assert await check({"metadata": answers, "vectors": answers}) == ("metadata", "vectors")


async def test_failed_and_hanging_parts_are_named_without_their_reasons(monkeypatch):
    monkeypatch.setattr(readiness, "PATIENCE_S", 0.01)

    with pytest.raises(NotReadyError) as refusal:
        await check({"metadata": breaks, "vectors": hangs, "queue": answers})

    assert refusal.value.facts == {"parts": "metadata, vectors"}
    assert "secret" not in str(refusal.value)
