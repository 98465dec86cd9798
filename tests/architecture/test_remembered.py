"""A worker runs thousands of tests, and an app of one of them holds hundreds of clients."""

import gc
import weakref

import httpx
from fastapi import FastAPI

from tests.remembered import forget_apps


class Held:
    """What a route's function holds, as those of operations hold their services."""


async def ask(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.test") as client:
        assert (await client.get("/")).json() == "Held"


async def new_app() -> tuple[FastAPI, "weakref.ref[Held]"]:
    """Make an app that was asked something."""
    held, app = Held(), FastAPI()

    @app.get("/")
    async def endpoint() -> str:
        return type(held).__name__

    await ask(app)
    return app, weakref.ref(held)


async def test_apps_that_nobody_has_are_gone_and_the_others_answer() -> None:
    used, used_holds = await new_app()
    unused_holds = (await new_app())[1]
    gc.collect()
    assert unused_holds() is not None, "FastAPI remembers no apps any more: tests/remembered.py is of no use."

    forget_apps()
    gc.collect()

    assert unused_holds() is None
    assert used_holds() is not None
    await ask(used)
