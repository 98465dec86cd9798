"""A caller at the whole API, recognised without a token, and what became of what they asked for."""

import json
from collections.abc import Mapping

import httpx
from fastapi import Request

from shared.adapters.dynamodb.keys import KNOWLEDGE_BASE_PREFIX
from shared.audit.events import DONE, AuditEvent, EventKind
from shared.composition.app import build_whole_app
from shared.composition.settings import Settings
from shared.identity.caller import Caller
from shared.identity.permissions import Role
from shared.kernel.ids import TenantId, UserId
from shared.operations.capabilities import METADATA
from tests.ingestion.cloud import Cloud

NOBODYS_BASE = "kb_" + "0" * 26
ADDRESS = ("192.0.2.9", 50_000)


def client_of(settings: Settings, tenant: str) -> httpx.AsyncClient:
    """Return a client whose requests are those of an owner of `tenant`."""

    async def caller_of(_: Request) -> Caller:
        return Caller(TenantId(tenant), UserId("ada"), Role.OWNER)

    app = build_whole_app(settings, caller_of)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=ADDRESS), base_url="https://api.test")


async def create_base(client: httpx.AsyncClient, name: str = "The merger with Initech") -> httpx.Response:
    return await client.post("/knowledge-bases", json={"name": name})


def bases_of(cloud: Cloud, tenant: str) -> list[str]:
    """Return the ids of a tenant's knowledge bases."""
    found = cloud.dynamodb.query(
        TableName=cloud.address_of(METADATA),
        KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues={":pk": {"S": f"t#{tenant}"}, ":prefix": {"S": KNOWLEDGE_BASE_PREFIX}},
        ConsistentRead=True,
    )
    return [item["sk"]["S"].removeprefix(KNOWLEDGE_BASE_PREFIX) for item in found["Items"]]


def check_truth(cloud: Cloud, tenant: str, events: Mapping[str, AuditEvent]) -> None:
    """Hold what was told against what is there: no effect without its one event, and no event without its effect."""
    told = sorted(event.resource for event in events.values() if event.kind is EventKind.WRITE)
    assert told == sorted(f"knowledge-bases/{base}" for base in bases_of(cloud, tenant))
    assert all(event.outcome == DONE for event in events.values() if event.kind is EventKind.WRITE)
    assert "Initech" not in json.dumps([event.resource for event in events.values()])


def outcomes(events: Mapping[str, AuditEvent], request_id: str) -> list[str]:
    """Return how one request went, as it was told: accesses and refusals, in the order of their steps."""
    found = [event for event in events.values() if event.request_id == request_id]
    ordered = sorted(found, key=lambda event: event.step)
    return [event.outcome for event in ordered if event.kind is not EventKind.WRITE]
