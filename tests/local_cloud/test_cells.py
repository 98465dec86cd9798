"""An organisation moves between the cells of the deployed cloud while it searches and uploads over HTTP (T6)."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import pytest

from localstack import functions
from localstack.api import Api
from localstack.cloud import LocalCloud
from shared.identity.permissions import Role
from shared.operations.vector_cells import MAIN
from shared.tenancy.models import OPERATORS
from shared.tenancy.plans import PlanName
from tests.local_cloud.conftest import REUSED, SECOND_CELL, Tenant
from tests.local_cloud.people import People
from tests.stores import of_sqlite

pytestmark = [pytest.mark.real_server, pytest.mark.slow, pytest.mark.timeout(300)]

RULE = "The notice period is 30 days."
QUESTION = "How long is the notice period?"
MOVED_WITHIN_S = 120.0
PAUSE_S = 0.05
MOST_SIGN_UPS = 8
OTHER = {MAIN: SECOND_CELL, SECOND_CELL: MAIN}
TAKEN_OVER = {"switched", "cleaning", "done"}


@pytest.fixture
def operator(local_cloud: LocalCloud, people: People) -> Iterator[Api]:
    with Api(local_cloud.api_address, people.token(OPERATORS, "usr_operator", Role.OPERATOR)) as api:
        cells = api.call("GET", "/cells")["items"]
        if len(cells) < len(OTHER):  # looked at each minute: a cloud may be younger
            functions.invoke(local_cloud.emulator, "observe_cells")
            cells = api.call("GET", "/cells")["items"]
        assert {cell["id"] for cell in cells} == set(OTHER), f"the cloud that {REUSED} names needs both cells"
        yield api


@pytest.fixture
def organisation(local_cloud: LocalCloud, operator: Api) -> Iterator[Tenant]:
    with signed_up(local_cloud, operator) as organisation:
        yield organisation


@contextmanager
def signed_up(local_cloud: LocalCloud, operator: Api) -> Iterator[Tenant]:
    """Give an organisation that signed up, on a plan that lets it search without a pause."""
    email, password = f"owner-{secrets.token_hex(6)}@people.example", secrets.token_urlsafe(16)
    body = {"organisation_name": "Alderbrook", "display_name": "Ada", "email": email, "password": password}
    with Api(local_cloud.api_address, None) as stranger:
        stranger.call("POST", "/sign-ups", body)
        session = stranger.call("POST", "/sessions", {"email": email, "password": password})
    operator.call("PUT", f"/tenants/{session['tenant']}/plan", {"plan": PlanName.ENTERPRISE.value})
    with Api(local_cloud.api_address, session["access_token"]) as api:
        yield Tenant(local_cloud, session["tenant"], api)


@dataclass
class Searches:
    """Somebody who searches until told to stop, and notes whatever is not as it should be."""

    tenant: Tenant
    kb_id: str
    document_id: str
    count: int = 0
    wrong: list[Any] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Searches":
        self._thread = threading.Thread(target=self._run, name="searches")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(PAUSE_S):
            try:
                found = self.tenant.api.send("POST", f"/knowledge-bases/{self.kb_id}/search", {"query": QUESTION})
                hits = {hit["document_id"] for hit in found.json()["hits"]} if found.is_success else set()
                if self.document_id not in hits:
                    self.wrong.append((found.status_code, found.text))
            except Exception as error:  # noqa: BLE001 (whatever it is, a search failed)
                self.wrong.append(error)
            self.count += 1


@pytest.mark.parametrize("own_index", [False, True], ids=["another cell", "an index of its own"])
def test_organisation_moves_while_it_searches_and_uploads(organisation, operator, local_cloud, own_index):
    kb_id = organisation.create_knowledge_base()
    document_id = organisation.upload(kb_id, "terms.md", RULE.encode())
    organisation.wait(kb_id, "terms.md")
    path = f"/tenants/{organisation.name}"
    before = operator.call("GET", f"{path}/placement")
    assert (before["own_index"], before.get("move")) == (False, None)
    target = OTHER[before["cell"]]
    placed: dict[str, dict[str, Any]] = {}

    with Searches(organisation, kb_id, document_id) as searches:
        until(lambda: searches.count > 2)
        started = operator.call("PUT", f"{path}/move", {"cell": target, "own_index": own_index})
        organisation.upload(kb_id, "deposit.md", b"A deposit of 50 euros is asked for.")
        begun = time.monotonic()
        while (there := operator.call("GET", f"{path}/placement"))["move"]["state"] not in TAKEN_OVER:
            assert time.monotonic() - begun < MOVED_WITHIN_S, there
            placed[there["move"]["state"]] = there
            functions.invoke(local_cloud.emulator, "advance_tenant_moves")  # as its schedule does, each minute
        during = organisation.wait(kb_id, "deposit.md")
        organisation.upload(kb_id, "keys.md", b"The key to the cellar hangs behind the clock.")
        after = organisation.wait(kb_id, "keys.md")
        searched = searches.count
        until(lambda: searches.count > searched + 2)

    assert searches.wrong == []
    assert (started["move"]["state"], started["cell"]) == ("planned", before["cell"])
    assert (there["cell"], there["own_index"]) == (target, own_index)
    assert (during["status"], after["status"]) == ("ready", "ready")
    for name, query in (("deposit.md", "How much deposit is asked for?"), ("keys.md", "Where is the cellar key?")):
        hits = organisation.search(kb_id, query)["hits"]
        assert hits[0]["document_id"] == organisation.documents(kb_id)[name]["id"]
    ended = settled(operator, path, local_cloud)
    assert len(ended["move"]["checksum"]) == 64
    assert ended["move"]["chunks"] >= 1
    cells = {cell["id"]: cell for cell in operator.call("GET", "/cells")["items"]}
    assert all(cell["load"] < 1 for cell in cells.values())
    assert cells[target]["tenants"] >= 1
    assert cells[target]["own_indexes"] >= int(own_index)
    until(lambda: places_of(local_cloud, organisation.name) == {("own-" if own_index else "") + target})
    print(f"\n{searches.count} searches during the move, none failed; seen on the way: {sorted(placed)}")


def test_a_cell_is_emptied_while_its_people_search(operator, local_cloud):
    closing = f"/cells/{SECOND_CELL}/closing"
    with ExitStack() as leaving:
        organisation = first_in(SECOND_CELL, local_cloud, operator, leaving)
        kb_id = organisation.create_knowledge_base()
        document_id = organisation.upload(kb_id, "terms.md", RULE.encode())
        organisation.wait(kb_id, "terms.md")
        assert places_of(local_cloud, organisation.name) == {SECOND_CELL}

        with Searches(organisation, kb_id, document_id) as searches:
            until(lambda: searches.count > 2)
            closed = operator.call("PUT", closing)
            leaving.callback(operator.call, "DELETE", closing)
            newcomer = leaving.enter_context(signed_up(local_cloud, operator))
            until(lambda: advanced(operator, organisation, local_cloud) in TAKEN_OVER)
            searched = searches.count
            until(lambda: searches.count > searched + 2)

        cells = {cell["id"]: cell for cell in operator.call("GET", "/cells")["items"]}
        last = operator.send("PUT", f"/cells/{MAIN}/closing").json()
        placed = [operator.call("GET", f"/tenants/{one.name}/placement") for one in (organisation, newcomer)]
    assert searches.wrong == []
    assert closed["state"] == cells[SECOND_CELL]["state"] == "closing"
    assert cells[SECOND_CELL]["tenants_left"] >= 1, "the old place is watched for a quarter of an hour"
    assert last["code"] == "last-open-cell"
    assert [placement["cell"] for placement in placed] == [MAIN, MAIN]
    assert len(placed[0]["move"]["checksum"]) == 64
    assert {cell["id"]: cell["state"] for cell in operator.call("GET", "/cells")["items"]} == dict.fromkeys(
        OTHER, "open"
    )


def first_in(cell: str, cloud: LocalCloud, operator: Api, leaving: ExitStack) -> Tenant:
    """Return the first organisation that is put in a cell: they are spread evenly."""
    for _ in range(MOST_SIGN_UPS):
        organisation = leaving.enter_context(signed_up(cloud, operator))
        if operator.call("GET", f"/tenants/{organisation.name}/placement")["cell"] == cell:
            return organisation
    raise AssertionError(f"nobody is put in {cell}")


def advanced(operator: Api, organisation: Tenant, cloud: LocalCloud) -> str:
    """Return how far an organisation's move is after one more run of the schedule, empty while it has none."""
    functions.invoke(cloud.emulator, "advance_tenant_moves")
    move = operator.call("GET", f"/tenants/{organisation.name}/placement").get("move")
    return "" if move is None else str(move["state"])


def test_owners_see_neither_cells_nor_placements(organisation):
    for method, path in (("GET", "/cells"), ("GET", f"/tenants/{organisation.name}/placement")):
        assert organisation.api.send(method, path).json()["code"] == "forbidden"


def settled(operator: Api, path: str, cloud: LocalCloud) -> dict[str, Any]:
    """Return the placement once the old cell is empty, which is watched then for a quarter of an hour."""

    def is_left() -> bool:
        functions.invoke(cloud.emulator, "advance_tenant_moves")
        return bool(operator.call("GET", f"{path}/placement")["move"]["state"] in {"cleaning", "done"})

    until(is_left)
    found: dict[str, Any] = operator.call("GET", f"{path}/placement")
    return found


def places_of(cloud: LocalCloud, tenant: str) -> set[str]:
    """Return the places in whose files there are chunks of a tenant."""
    return {kind(file) for file in cloud.folder.glob("vectors*.sqlite") if held(file, tenant)}


def held(file: Path, tenant: str) -> int:
    """Return how many chunks of a tenant a file holds."""
    connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return sum(1 for entry in of_sqlite(connection) if entry.owner == tenant and entry.where == "row of chunks")
    finally:
        connection.close()


def kind(file: Path) -> str:
    """Return which place a file is: a cell's, or an index of somebody's own in one."""
    name = file.stem.removeprefix("vectors").removeprefix("-")
    cell = SECOND_CELL if name.startswith(SECOND_CELL) else MAIN
    return f"own-{cell}" if "own-" in name else cell


def until(is_so: Callable[[], bool], timeout_s: float = MOVED_WITHIN_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
