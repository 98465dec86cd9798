"""What unit tests share."""

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture
def event_loop_of_a_function() -> Iterator[None]:
    """Give Mangum and Powertools the loop that a function keeps for its whole life, and close it after the test."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
    asyncio.set_event_loop(None)
