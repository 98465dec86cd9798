"""What one call costs in the entry layer: gateway event in, gateway answer out, beside the bare function."""

import asyncio
import statistics
from time import perf_counter
from unittest.mock import patch

from pydantic import BaseModel

from shared.audit.events import AuditEvent
from shared.composition.entry import build_handler
from shared.composition.services import Services
from shared.composition.settings import Settings
from shared.identity.caller import Caller
from shared.identity.permissions import Permission, Role
from shared.kernel.ids import TenantId, UserId
from shared.operations.callers import write_caller
from shared.operations.declaration import HttpTrigger, Operation, RateClass
from tests.benchmarks.table import Table

CALLS = 2_000


class Greeting(BaseModel):
    """A body of one field."""

    name: str


class Greeted(BaseModel):
    """An answer of two fields."""

    tenant: str
    name: str


class NoTrail:
    """Takes every event at once: what telling of an access costs is measured apart (`audited`)."""

    async def tell(self, event: AuditEvent) -> None:
        return


async def greet(greeting: Greeting, caller: Caller) -> Greeted:
    """Greet."""
    return Greeted(tenant=caller.tenant, name=greeting.name)


OPERATION = Operation(
    "greet", "samples", HttpTrigger("POST", "/greetings", Permission.SEARCH, RateClass.NONE), greet, (), 256, 5
)

EVENT = {
    "version": "2.0",
    "routeKey": "POST /greetings",
    "rawPath": "/greetings",
    "rawQueryString": "",
    "headers": {"content-type": "application/json", "content-length": "14"},
    "requestContext": {
        "requestId": "r",
        "http": {"method": "POST", "path": "/greetings", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
        "authorizer": {"lambda": {"caller": write_caller(Caller(TenantId("acme"), UserId("ada"), Role.VIEWER))}},
    },
    "body": '{"name":"Ada"}',
    "isBase64Encoded": False,
}


def run() -> Table:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with patch.object(Services, "access_trail", NoTrail()):
        handle = build_handler(OPERATION, Settings({}))
        assert handle(EVENT, None)["statusCode"] == 200
        times = []
        for _ in range(CALLS):
            started = perf_counter()
            handle(EVENT, None)
            times.append((perf_counter() - started) * 1000)
    loop.close()
    asyncio.set_event_loop(None)
    p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
    return Table(
        "Entry layer",
        f"{CALLS} calls of a one-line operation through the Lambda handler: event, caller, permission, body, "
        "response; without the message that tells the audit log of it.",
        ("p50", "p99", "share of the 50 ms that a call may take (service level p50)"),
        [(f"{p50:.2f} ms", f"{p99:.2f} ms", f"{p50 / 50:.1%}")],
    )
