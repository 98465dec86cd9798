"""Whatever store a port is asked through, nobody reaches a tenant for whom they do not work (T5, invariant 4).

Every method of every adapter that takes a tenant is found by reflection and called on the adapter as it is composed.
Nothing leaves this process: what tries to connect, or touches a file, is what was let through.
"""

import inspect
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.aws.session_credentials import TenantSessions
from shared.adapters.cells.chunk_cell import ChunkCell
from shared.adapters.dynamodb.transactions import Transactions
from shared.adapters.opensearch.chunk_index import OpenSearchChunkIndex
from shared.adapters.redis.keys import KeySpace
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.adapters.sqs.access_queue import SqsAccessQueue
from shared.adapters.sqs.work_queue import SqsWorkQueue
from shared.audit.acts import acting
from shared.audit.messages import RecordAccesses
from shared.composition.queues import QUEUES
from shared.kernel.ids import TenantId
from shared.kernel.tenants import TenantContextError
from shared.knowledge.messages import LookAgain, Message
from shared.operations.tenants import within
from tests.audit.samples import event
from tests.nobody import NOBODY
from tests.records import act_of_test
from tests.unit.composition.composed import adapter_classes, composed, tenant_methods
from tests.unit.composition.made_up import NOW, MadeUp

REGION = "eu-central-1"
ACME, GLOBEX = TenantId("acme"), TenantId("globex")

NOT_ASKED: dict[type, str] = {
    TenantSessions: "asked with what the guard returned, which asked the context about the same call",
}
"""Adapters that take a tenant and do not look whose turn it is, and why that is no way in."""

CONNECTS_NOT = {
    *((kind, method) for kind in (SqliteChunkIndex, KeySpace) for method in tenant_methods(kind)),
    (OpenSearchChunkIndex, "vacate"),
}
"""What answers from a file or by a key; an index that several share is not removed for one of them."""

CASES = sorted(
    ((kind, method) for kind in adapter_classes() - NOT_ASKED.keys() for method in tenant_methods(kind)),
    key=lambda case: (case[0].__module__, case[0].__name__, case[1]),
)


class LetThrough(BaseException):
    """Something was about to be sent. It is no failure, so that nothing tries again because of it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def adapters(folder: Path) -> Iterator[dict[type, Any]]:
    def connect(opened: socket.socket, *_: object) -> None:
        opened.close()
        raise LetThrough

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_ENDPOINT_URL", f"http://{NOBODY}")
        yield composed(folder)


_HERE = f"http://{NOBODY}/"
_NAMED = {"url": _HERE, "issuer": _HERE, "token_endpoint": _HERE, "sealed": "eA=="}
"""Texts that must have a certain form."""


def _named_of(tenant: TenantId, adapter: Any) -> dict[str, Any]:
    match adapter:
        case ChunkCell():
            chunk = "kb_1#1#doc_1#1#0"
            return {"keys": chunk, "after": chunk}
        case Transactions():
            item = {"pk": {"S": f"t#{tenant}"}, "sk": {"S": "x"}}
            return {"actions": {"Put": {"TableName": "metadata-here", "Item": item}}}
    return {"key": f"t/{tenant}/kb/x", "prefix": f"t/{tenant}/kb/"}


async def ask(adapter: Any, method: str, tenant: TenantId) -> None:
    """Call a method for a tenant, with whatever else it wants made up."""
    asked = getattr(adapter, method)
    bound = MadeUp(tenant, _NAMED | _named_of(tenant, adapter)).arguments(asked)
    answer = asked(*bound.args, **bound.kwargs)
    if inspect.isawaitable(answer):
        await answer
    elif isinstance(answer, AsyncIterator):
        await anext(answer)


def name_of(part: Any) -> str:
    return part.__name__ if inspect.isclass(part) else str(part)


EACH = pytest.mark.parametrize(("kind", "method"), CASES, ids=name_of)


def test_every_adapter_that_takes_a_tenant_is_composed(adapters):
    assert adapter_classes() - NOT_ASKED.keys() <= adapters.keys()
    assert len(CASES) > 100


@EACH
@pytest.mark.parametrize("context", ["another tenant", "nobody"])
async def test_nobody_else_is_reached(adapters, folder, kind, method, context):
    before = list(folder.rglob("*"))
    ambient = within(ACME) if context == "another tenant" else nullcontext()
    with acting(act_of_test()), ambient, pytest.raises(TenantContextError):
        await ask(adapters[kind], method, GLOBEX)
    assert list(folder.rglob("*")) == before


def message_of(kind: type[Message], tenant: TenantId) -> Message:
    if kind is LookAgain:
        return LookAgain(keys=(f"t/{tenant}/kb/x",))
    made: Message = MadeUp(tenant, {}).value(kind)
    return made


@pytest.mark.parametrize("kind", QUEUES, ids=name_of)
async def test_no_message_of_another_is_sent(adapters, kind):
    queue = adapters[SqsWorkQueue]
    with within(ACME):
        with pytest.raises(TenantContextError):
            await queue.send([message_of(kind, ACME), message_of(kind, GLOBEX)])
        with pytest.raises(LetThrough):
            await queue.send([message_of(kind, ACME)])
    with pytest.raises(TenantContextError):
        await queue.send([message_of(kind, GLOBEX)])


async def test_no_access_to_another_is_told_of(adapters):
    told = {tenant: RecordAccesses(tenant=tenant, events=(event(tenant, NOW),)) for tenant in (ACME, GLOBEX)}
    with within(ACME):
        with pytest.raises(TenantContextError):
            await adapters[SqsAccessQueue].send(told[GLOBEX])
        with pytest.raises(LetThrough):
            await adapters[SqsAccessQueue].send(told[ACME])


@EACH
async def test_the_own_tenant_is_reached(adapters, kind, method):
    expected = nullcontext() if (kind, method) in CONNECTS_NOT else pytest.raises(LetThrough)
    with acting(act_of_test()), within(GLOBEX), expected:
        await ask(adapters[kind], method, GLOBEX)
