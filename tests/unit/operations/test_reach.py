"""Where in a request its path is looked at: after the permission, before anything else is read."""

from typing import ClassVar

import httpx
import pytest
from fastapi import Request
from pydantic import BaseModel

from shared.identity.caller import Caller
from shared.identity.permissions import Permission, Role
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import KnowledgeBaseId, TenantId, UserId
from shared.operations.declaration import DeclarationError, HttpTrigger, RateClass
from shared.operations.http import build_app
from tests.trails import trails_in_memory
from tests.unit.limits.memory import limiters_in_memory
from tests.unit.operations.samples import sample_operation

BASE = KnowledgeBaseId("kb_" + "1" * 26)
OTHER = KnowledgeBaseId("kb_" + "2" * 26)


class OutOfReachError(TesseraError):
    code: ClassVar[str] = "out-of-reach"
    kind: ClassVar[Kind] = Kind.MISSING


class Note(BaseModel):
    text: str


async def put_note(kb_id: KnowledgeBaseId, note: Note, caller: Caller) -> str:
    """Put a note into a base."""
    return kb_id


async def list_bases(caller: Caller) -> str:
    """List what there is."""
    return "all"


PUT_NOTE = sample_operation(
    put_note, HttpTrigger("POST", "/bases/{kb_id}/notes", Permission.DOCUMENT_WRITE, RateClass.WRITE)
)
LIST_BASES = sample_operation(list_bases, HttpTrigger("GET", "/bases", Permission.DOCUMENT_READ, RateClass.READ))


class OneBase:
    """One base is within reach; who asked for what is noted."""

    def __init__(self):
        self.asked: list[str] = []

    async def check(self, caller, kb_id):
        self.asked.append(kb_id)
        if kb_id != BASE:
            raise OutOfReachError("There is no such thing.")


async def caller_of(request: Request) -> Caller | None:
    role = request.headers.get("x-role")
    return Caller(TenantId("acme"), UserId("ada"), Role(role)) if role else None


@pytest.fixture
def reach():
    return OneBase()


@pytest.fixture
def send(reach):
    app = build_app(
        [PUT_NOTE, LIST_BASES],
        lambda _: object(),
        caller_of,
        limiters_in_memory(),
        reach_of=lambda _: reach,
        trail_of=trails_in_memory(),
    )
    api = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.test")

    async def sent(base, body=None, role="owner"):
        headers = {"x-role": role} if role else {}
        return await api.post(f"/bases/{base}/notes", json={"text": "a"} if body is None else body, headers=headers)

    return sent


async def test_what_is_within_reach_is_served(send, reach):
    assert (await send(BASE)).json() == BASE
    assert reach.asked == [BASE]


@pytest.mark.parametrize("body", [{"text": "a"}, {"text": 1}, []], ids=repr)
async def test_what_is_out_of_reach_is_refused_whatever_else_is_sent(send, body):
    response = await send(OTHER, body)

    assert (response.status_code, response.json()["code"]) == (404, "out-of-reach")


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("viewer", 403)])
async def test_nobody_learns_of_reach_without_the_permission(send, reach, role, status):
    assert (await send(OTHER, role=role)).status_code == status
    assert reach.asked == []


async def test_what_is_no_id_is_refused_with_the_other_parameters(send, reach):
    response = await send("kb_1")

    assert (response.status_code, response.json()["code"]) == (422, "invalid-request")
    assert reach.asked == []


def test_app_with_a_base_in_a_path_and_nobody_to_look_does_not_start():
    with pytest.raises(DeclarationError):
        build_app([PUT_NOTE], lambda _: object(), caller_of, limiters_in_memory(), trail_of=trails_in_memory())


def test_app_without_one_starts():
    assert build_app([LIST_BASES], lambda _: object(), caller_of, limiters_in_memory(), trail_of=trails_in_memory())
