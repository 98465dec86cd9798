"""Where tenants' chunks are, and how operators move them: between cells, and into an index of their own."""

from typing import Final

import httpx
from hypothesis import strategies as st

from shared.identity.permissions import Role
from tests.isolation.arrivals import turn
from tests.isolation.steps import Actor, Seen, Step, step_of

CELLS: Final = ("main", "second")
STRAGGLERS_MIN: Final = 17
"""So long a place that was left is watched for whoever comes late."""


async def move(actor: Actor, cell: str, *, own_index: bool) -> Seen:
    """Have the tenant moved."""
    path = f"/tenants/{actor.tenant.id}/move"
    return _told(await actor.send("PUT", path, Role.OPERATOR, json={"cell": cell, "own_index": own_index}))


async def placement(actor: Actor) -> Seen:
    return _told(await actor.send("GET", f"/tenants/{actor.tenant.id}/placement", Role.OPERATOR))


def _told(answer: httpx.Response) -> Seen:
    """Return what operators are told of the tenant; how many requests they have left is about all tenants."""
    assert not answer.is_server_error, answer.text
    return [f"{answer.status_code} {answer.text.replace(answer.headers['x-request-id'], 'the request')}"]


def settled(cell: str, *, own_index: bool) -> list[Step]:
    """Return the steps after which a tenant is in a place."""
    arguments = {"cell": cell, "own_index": own_index}
    return [Step(move, arguments), Step(turn, {}), Step(turn, {}, STRAGGLERS_MIN), Step(placement, {})]


MOVING: Final = step_of(move, cell=st.sampled_from(CELLS), own_index=st.booleans())
