"""Every operation, asked once for something that it does: routes, queues, streams, schedules and commands."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any, Final, get_type_hints

import httpx
import pytest

from shared.adapters.minilm.embedder import MiniLmEmbedder
from shared.adapters.sqlite.chunk_index import SqliteChunkIndex
from shared.adapters.sqs.access_queue import SqsAccessQueue
from shared.identity.permissions import Role
from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId
from shared.operations.capabilities import AUDIT, METADATA, UPLOADS
from shared.operations.declaration import CommandTrigger, Operation, ScheduleTrigger, StreamTrigger
from shared.operations.registry import all_operations
from shared.retrieval.ports import IndexedChunk, Scope
from tests.ambient import looking_on
from tests.api.declared import ROUTES, parameters_of
from tests.api.people import new_person
from tests.api.tenants import Tenant, new_tenant_name
from tests.enrolment import Enrolment
from tests.ingestion.cloud import Cloud
from tests.ingestion.functions import Functions
from tests.isolation.estate import TEXT, Estate, send
from tests.oidc.scripted_provider import ScriptedProvider
from tests.policies.deeds import BY_OTHERS, DEEDS, SECOND_CELL, returned_from, with_a_key
from tests.signing import TestSigner
from tests.web_server import Site, answer

PAGE: Final = b"<!doctype html><html><title>Terms</title><body><p>The notice period is 30 days.</p></body></html>"
OPERATOR: Final = "olga@operators.example"

COMMANDS: Final[Mapping[str, dict[str, Any]]] = {
    "appoint_operator": {"email": OPERATOR},
    "dismiss_operator": {"email": OPERATOR},
}
"""What a command is asked for, beside the tenant, which each one gets that names one."""


def _operation(name: str) -> Operation:
    return next(one for one in all_operations() if one.id == name)


@contextmanager
def _access_queue_out_of_reach() -> Iterator[None]:
    """Let accesses be told of in the log itself, as they are while their queue takes nothing."""

    async def refuse(*_: object) -> None:
        raise ConnectionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqsAccessQueue, "send", refuse)
        yield


@dataclass
class Suite:
    """One deployment and its users."""

    cloud: Cloud
    app: Any
    issuer: TestSigner
    people: Enrolment
    provider: ScriptedProvider
    embedder: MiniLmEmbedder
    site: Site = field(default_factory=Site)

    async def run(self) -> None:
        functions = Functions(self.cloud)
        try:
            # Cells have to be known before anybody is placed.
            await functions.invoke(_operation("observe_cells"), {})
            with _access_queue_out_of_reach():
                for name in ROUTES:
                    await self._ask(name)
            await with_a_key(self._estate())
            tenant = await self._take_documents_in(functions)
            await self._invoke_the_rest(functions, tenant)
            await self._ask_of_cells(functions, tenant)
        finally:
            self.site.stop()

    async def _ask(self, name: str) -> None:
        """Send one request that fits, from a tenant of its own."""
        estate = self._estate()
        if name in BY_OTHERS:
            response = await BY_OTHERS[name](estate, name)
            assert response.is_success, (name, response.text)
            return
        changes: dict[str, Any] = await DEEDS[name](estate) if name in DEEDS else {}
        if "{user_id}" in ROUTES[name][1].path:
            changes["user_id"] = await estate.real("user_id")
        if name == "complete_oidc_sign_in":
            changes |= await returned_from(self.provider, estate)
        if name == "add_url_source":
            self.site.pages["/terms"] = answer(PAGE, "200 OK", "content-type: text/html")
            changes["url"] = self.site.url("/terms")
        if name in {"answer_question", "search_knowledge_base"}:
            base = await estate.real("kb_id")
            await self._publish(estate.tenant, base, "terms.md", TEXT)
            changes["kb_id"] = base
        is_repeatable = "idempotency_key" in parameters_of(*ROUTES[name])
        headers = {"idempotency-key": f"the-only-{name}"} if is_repeatable else {}
        response = await send(estate, name, changes, headers=headers)
        # Cells are asked for by themselves.
        assert response.is_success or "{cell_id}" in ROUTES[name][1].path, (name, response.text)
        if is_repeatable:
            response = await send(estate, name, changes, headers=headers)
        assert response.status_code < 500, (name, response.text)

    async def _take_documents_in(self, functions: Functions) -> Tenant:
        """Bring a file and a page through all stages, replace the file, index again, delete it, and move the rest."""
        tenant = self._estate().tenant
        base = await tenant.create_base()
        bucket = self.cloud.address_of(UPLOADS)
        for text in (TEXT, f"{TEXT} Notice is given in writing."):
            self.cloud.s3.put_object(Bucket=bucket, Key=f"t/{tenant.id}/kb/{base}/terms.md", Body=text.encode())
            await functions.work_off()
        self.site.pages["/terms"] = answer(PAGE, "200 OK", "content-type: text/html")
        added = await tenant.send("POST", f"/knowledge-bases/{base}/url-sources", json={"url": self.site.url("/terms")})
        assert added.status_code == 202, added.text
        await functions.work_off()
        chunking = {"config": {"chunking": {"strategy": "sentences"}}}
        changed = await tenant.send("PATCH", f"/knowledge-bases/{base}", Role.OWNER, json=chunking)
        assert changed.status_code == 200, changed.text
        await functions.work_off()
        listed = (await tenant.send("GET", f"/knowledge-bases/{base}/documents")).json()["items"]
        await tenant.send("POST", f"/knowledge-bases/{base}/documents/{listed[0]['id']}/retry")
        await tenant.send("DELETE", f"/knowledge-bases/{base}/documents/{listed[0]['id']}")
        await functions.work_off()
        path, to = f"/tenants/{tenant.id}/move", {"cell": SECOND_CELL}
        moved = await tenant.send("PUT", path, Role.OPERATOR, json=to)
        assert moved.status_code == 200, moved.text
        return tenant

    async def _invoke_the_rest(self, functions: Functions, tenant: Tenant) -> None:
        base = await tenant.create_base()
        await tenant.drop(base, "stuck.md", TEXT)
        await tenant.promise(base, "promised.md")
        # Twice, for what one of them leaves behind is another's to do.
        for _ in range(2):
            self._make_due()
            for operation in all_operations():
                match operation.trigger:
                    case ScheduleTrigger():
                        await functions.invoke(operation, {})
                    case CommandTrigger():
                        names = get_type_hints(operation.function)
                        fields = getattr(names[next(iter(names))], "model_fields", {})
                        named = {"tenant": tenant.id} if "tenant" in fields else {}
                        if operation.id == "mend_audit_head":
                            self._lose_head_of(tenant)
                        # Whom nobody is, nobody dismisses; it looked.
                        with suppress(Exception):
                            await functions.invoke(operation, {**COMMANDS.get(operation.id, {}), **named})
                    case StreamTrigger() if operation.trigger.table == AUDIT:
                        await functions.invoke(operation, self._changes_of(tenant))
            await functions.work_off()

    def _changes_of(self, tenant: Tenant) -> dict[str, Any]:
        """Return a stream's event that tells of all items of a tenant as new ones."""
        found = self.cloud.dynamodb.query(
            TableName=self.cloud.address_of(AUDIT),
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"t#{tenant.id}"}},
        )["Items"]
        return {
            "Records": [
                {
                    "eventID": str(number),
                    "eventName": "INSERT",
                    "eventSource": "aws:dynamodb",
                    "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/audit/stream/1",
                    "dynamodb": {"SequenceNumber": str(number), "Keys": {"pk": item["pk"], "sk": item["sk"]}},
                }
                for number, item in enumerate(found)
            ]
        }

    def _lose_head_of(self, tenant: Tenant) -> None:
        """Take away how far a tenant's audit log goes, so that there is something to mend."""
        key = {"pk": {"S": f"t#{tenant.id}"}, "sk": {"S": "head"}}
        self.cloud.dynamodb.delete_item(TableName=self.cloud.address_of(AUDIT), Key=key)

    async def _ask_of_cells(self, functions: Functions, tenant: Tenant) -> None:
        """Have one cell filled and another one emptied, and let the schedule begin with both."""
        plan = _operation("advance_tenant_moves")
        for method, wish in (("PUT", "filling"), ("DELETE", "filling"), ("PUT", "closing"), ("DELETE", "closing")):
            answer = await tenant.send(method, f"/cells/{SECOND_CELL}/{wish}", Role.OPERATOR)
            assert answer.status_code == 200, answer.text
            await functions.invoke(plan, {})

    def _make_due(self) -> None:
        """Let all that waits have waited since long, so that the schedules look after it."""
        for table, waits in ((METADATA, "due_at"), (AUDIT, "pending_at")):
            name = self.cloud.address_of(table)
            for page in self.cloud.dynamodb.get_paginator("scan").paginate(TableName=name):
                for item in page["Items"]:
                    if waits in item:
                        self.cloud.dynamodb.update_item(
                            TableName=name,
                            Key={"pk": item["pk"], "sk": item["sk"]},
                            UpdateExpression="SET #waits = :since",
                            ExpressionAttributeNames={"#waits": waits},
                            ExpressionAttributeValues={":since": {"N": "1"}},
                        )

    async def _publish(self, tenant: Tenant, base: str, name: str, text: str) -> str:
        document_id = await tenant.publish(base, name, text)
        record = await tenant.record(base, document_id)
        (vector,) = await self.embedder.embed([text])
        chunk = IndexedChunk(
            DocumentId(document_id), record.live[1].generation, 0, 0, len(text), None, name, "", text, vector, {}
        )
        index = SqliteChunkIndex(self.cloud.settings.local_folder / "vectors.sqlite")
        try:
            with looking_on():
                await index.write(TenantId(tenant.id), Scope(KnowledgeBaseId(base), 1), [chunk])
        finally:
            index.close()
        return document_id

    def _estate(self) -> Estate:
        address = (str(IPv4Address(0x0A000000 + secrets.randbits(24))), 50_000)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app, client=address), base_url="https://api.test")
        tenant = Tenant(new_tenant_name(), client, self.issuer, self.cloud, self.people)
        return Estate(
            tenant, self.provider.issuer, new_person(self.cloud, self.app, self.people), self._of_estate, operates=True
        )

    async def _of_estate(self, tenant: Tenant, base: str, name: str, text: str) -> str:
        return await self._publish(tenant, base, name, text)
