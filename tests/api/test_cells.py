"""Cells, as those who run the deployment see them: list_cells, get_tenant_placement, start_tenant_move,
cancel_tenant_move, close_cell, reopen_cell, fill_cell, stop_filling_cell; and the schedules behind: observe_cells,
advance_tenant_moves."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.audit.events import EventKind
from shared.composition.app import build_whole_app, caller_of_bearer
from shared.composition.entry import build_handler
from shared.composition.settings import Settings
from shared.identity.permissions import Role
from shared.kernel.ids import TenantId
from shared.operations.registry import load_operation
from shared.operations.vector_cells import VECTOR_CELLS, VectorCell, VectorCells
from shared.tenancy.models import OPERATORS
from tests.ambient import looking_on
from tests.api.door import authenticator_of
from tests.api.organisations import new_email
from tests.api.tenants import Tenant, new_tenant_name, problem_of
from tests.audit.capture.told import Told
from tests.canaries import watched

TICK = json.loads((Path(__file__).resolve().parents[2] / "events" / "schedule" / "every_minute.json").read_text())
CELLS = VectorCells(
    cells=(
        VectorCell(id="main", address="sqlite", region="eu-central-1"),
        VectorCell(id="second", address="sqlite", region="eu-west-1", weight=2),
    )
)


@pytest.fixture
def settings(cloud):
    return Settings({**cloud.variables, VECTOR_CELLS: CELLS.model_dump_json()})


@pytest.fixture
async def acme(cloud, settings, _clock_of_the_door, issuer, people):
    """A tenant of a deployment with two cells."""
    app = watched(build_whole_app(settings, caller_of_bearer(authenticator_of(cloud, _clock_of_the_door).authenticate)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.test") as client:
        yield Tenant(new_tenant_name(), client, issuer, cloud, people)


@pytest.fixture
def run(settings):
    """Run a schedule of two cells, as its event does."""

    async def ran(name):
        return await asyncio.to_thread(build_handler(load_operation("cells", name), settings), TICK, None)

    return ran


async def move(tenant, **body):
    return await tenant.send("PUT", f"/tenants/{tenant.id}/move", Role.OPERATOR, json=body)


async def placement(tenant):
    response = await tenant.send("GET", f"/tenants/{tenant.id}/placement", Role.OPERATOR)
    assert response.status_code == 200, response.text
    return response.json()


async def found(tenant, base, query="notice period"):
    response = await tenant.send("POST", f"/knowledge-bases/{base}/search", json={"query": query})
    assert response.status_code == 200, response.text
    return [hit["text"] for hit in response.json()["hits"]]


def chunks_in(cloud, name, tenant):
    store = SqliteChunkIndex(cloud.settings.local_folder / f"{name}.sqlite")
    try:
        with looking_on():
            return asyncio.run(store.count(TenantId(tenant.id)))
    finally:
        store.close()


async def test_cells_are_listed_as_they_were_last_seen(acme, run):
    observed = await run("observe_cells")
    assert (await run("observe_cells"))["cells"] == observed["cells"] >= 2

    response = await acme.send("GET", "/cells", Role.OPERATOR)

    cells = {cell["id"]: cell for cell in response.json()["items"]}
    assert cells["main"]["is_healthy"]
    assert cells["second"]["state"] == "open"
    assert (cells["second"]["region"], cells["second"]["weight"]) == ("eu-west-1", 2)
    assert 0 <= cells["main"]["load"] < 0.8


async def test_a_tenant_moves_while_it_is_searched(acme, publish, run, cloud):
    base = await acme.create_base()
    text = "The notice period is thirty days."
    await publish(acme, base, "terms.md", text)
    assert await found(acme, base) == [text]
    assert (await placement(acme))["cell"] == "main"
    assert "move" not in await placement(acme)

    started = await move(acme, cell="second")
    again = await move(acme, cell="second")
    elsewhere = await move(acme, cell="second", own_index=True)

    assert started.status_code == again.status_code == 200, started.text
    assert started.json() == again.json()
    assert problem_of(elsewhere) == (409, "invalid-move")
    assert (await run("advance_tenant_moves"))["failed"] == 0
    there = await placement(acme)
    # The cell that was left is watched for a quarter of an hour, for whoever comes late.
    assert (there["cell"], there["move"]["state"], there["move"]["chunks"]) == ("second", "cleaning", 1)
    assert there["move"]["percent"] >= 95
    assert len(there["move"]["checksum"]) == 64
    assert await found(acme, base) == [text]
    counts = await asyncio.to_thread(lambda: [chunks_in(cloud, name, acme) for name in ("vectors", "vectors-second")])
    assert counts == [0, 1]
    late = await acme.send("DELETE", f"/tenants/{acme.id}/move", Role.OPERATOR)
    assert problem_of(late) == (409, "invalid-move")


async def test_a_move_into_an_index_of_its_own_is_given_up(acme, publish, run):
    base = await acme.create_base()
    await publish(acme, base, "terms.md", "The notice period is sixty days.")
    assert (await move(acme, cell="main", own_index=True)).json()["move"]["to_own_index"]

    given_up = await acme.send("DELETE", f"/tenants/{acme.id}/move", Role.OPERATOR)
    again = await acme.send("DELETE", f"/tenants/{acme.id}/move", Role.OPERATOR)

    assert given_up.status_code == again.status_code == 200
    assert given_up.json()["move"]["state"] == "aborting"
    await run("advance_tenant_moves")
    assert await found(acme, base) == ["The notice period is sixty days."]
    there = await placement(acme)
    assert (there["cell"], there["own_index"]) == ("main", False)


async def test_new_organisations_are_spread_over_the_cells_and_stay_there(acme, run, publish):
    await run("observe_cells")
    places = {}
    for _ in range(15):
        created = await new_organisation(acme)
        places[created.id] = (await placement(created))["cell"]

    held = {name: cell["tenants"] for name, cell in (await listed(acme)).items()}
    # The second cell is twice as large; some in the first one came by other ways.
    assert held["main"] + held["second"] >= len(places)
    assert abs(2 * held["main"] - held["second"]) <= 3
    away = replace(acme, id=next(name for name, cell in places.items() if cell == "second"))
    assert (await move(away, cell="second")).json() == await placement(away)


async def test_what_cannot_be_moved_says_why(acme, client, issuer, cloud, people):
    await acme.create_base()
    nobody = await acme.send("PUT", "/tenants/nobody/move", Role.OPERATOR, json={"cell": "second"})
    nowhere = await move(acme, cell="third")
    still = await acme.send("DELETE", f"/tenants/{acme.id}/move", Role.OPERATOR)
    here = await move(acme, cell="main")
    one_place = Tenant(acme.id, client, issuer, cloud, people)

    assert problem_of(nobody) == (404, "tenant-not-found")
    assert problem_of(nowhere) == (404, "cell-not-found")
    assert problem_of(still) == (409, "invalid-move")
    assert (here.status_code, "move" in here.json()) == (200, False)
    assert problem_of(await move(one_place, cell="main", own_index=True)) == (409, "invalid-move")


async def ask(tenant, method, cell, what):
    return await tenant.send(method, f"/cells/{cell}/{what}", Role.OPERATOR)


async def listed(tenant):
    return {cell["id"]: cell for cell in (await tenant.send("GET", "/cells", Role.OPERATOR)).json()["items"]}


@pytest.fixture
async def reopened(acme):
    """Leaves the cells as they were, whatever a test asked of them."""
    yield
    for method, cell, what in (
        ("DELETE", name, what) for name in ("main", "second") for what in ("closing", "filling")
    ):
        await ask(acme, method, cell, what)


async def new_organisation(acme):
    body = {"organisation_name": "New", "plan": "starter", "owner_email": new_email()}
    response = await acme.send("POST", "/tenants", Role.OPERATOR, json=body)
    assert response.status_code == 201, response.text
    return replace(acme, id=response.json()["tenant"]["id"])


async def test_a_cell_that_closes_takes_in_nobody_until_it_is_reopened(acme, run, reopened):
    await run("observe_cells")

    closed = await ask(acme, "PUT", "main", "closing")
    again = await ask(acme, "PUT", "main", "closing")
    last = await ask(acme, "PUT", "second", "closing")

    assert closed.status_code == again.status_code == 200, closed.text
    assert (closed.json()["state"], again.json()["asked_at"]) == ("closing", closed.json()["asked_at"])
    assert not {"tenants_left", "standstill"} & closed.json().keys()
    assert problem_of(last) == (409, "last-open-cell")
    assert problem_of(await ask(acme, "PUT", "main", "filling")) == (409, "cell-closed")
    fresh = await new_organisation(acme)
    assert (await placement(fresh))["cell"] == "second"
    assert problem_of(await move(fresh, cell="main")) == (409, "cell-closed")
    assert problem_of(await move(fresh, cell="main", own_index=True)) == (409, "cell-closed")
    reopening = await ask(acme, "DELETE", "main", "closing")
    assert (reopening.status_code, reopening.json()["state"]) == (200, "open")
    assert reopening.json() == (await ask(acme, "DELETE", "main", "closing")).json() == (await listed(acme))["main"]


async def test_a_cell_is_filled_until_that_is_given_up(acme, run, reopened):
    await run("observe_cells")
    filling = await ask(acme, "PUT", "second", "filling")
    again = await ask(acme, "PUT", "second", "filling")
    assert filling.json()["state"] == again.json()["state"] == "filling"
    assert filling.json()["asked_at"] == again.json()["asked_at"]
    assert (await ask(acme, "DELETE", "second", "closing")).json()["state"] == "filling"

    given_up = await ask(acme, "DELETE", "second", "filling")

    assert (given_up.status_code, given_up.json()["state"]) == (200, "open")
    assert (await ask(acme, "DELETE", "second", "filling")).json() == given_up.json()


async def test_wishes_about_cells_are_in_the_log_of_whoever_has_them(acme, run, reopened, cloud):
    await run("observe_cells")
    before = Told(cloud).written(OPERATORS)
    for method, what in (("PUT", "filling"), ("PUT", "closing"), ("PUT", "closing"), ("DELETE", "closing")):
        assert (await ask(acme, method, "second", what)).status_code == 200

    events = [event for key, event in Told(cloud).written(OPERATORS).items() if key not in before]

    told = sorted((event.at, event.operation, event.resource, event.role, event.kind) for event in events)
    assert [one[1:] for one in told] == [
        (operation, "cells/second", "operator", EventKind.WRITE)
        for operation in ("fill_cell", "close_cell", "reopen_cell")
    ]


@pytest.mark.parametrize("what", ["closing", "filling"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_of_a_cell_that_there_is_not_nothing_is_asked(acme, run, method, what):
    await run("observe_cells")

    assert problem_of(await ask(acme, method, "third", what)) == (404, "cell-not-found")
    assert problem_of(await ask(acme, method, "No cell", what))[0] == 422


async def test_owners_of_organisations_see_no_cells(acme):
    for method, path in (
        ("GET", "/cells"),
        ("GET", f"/tenants/{acme.id}/placement"),
        ("DELETE", f"/tenants/{acme.id}/move"),
        *((method, f"/cells/main/{what}") for method in ("PUT", "DELETE") for what in ("closing", "filling")),
    ):
        assert problem_of(await acme.send(method, path, Role.OWNER))[0] == 403
