"""A tenant as its users see it: signed tokens, requests, and documents that got as far as a test needs."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx

from shared.adapters.dynamodb.records import DynamoRecords
from shared.adapters.s3.artifacts import S3Artifacts
from shared.documents.canonical import CanonicalText, Page
from shared.identity.permissions import Role
from shared.kernel.clock import SystemClock
from shared.kernel.ids import DocumentId, KnowledgeBaseId, TaskId, TenantId
from shared.knowledge.keys import parse_key, prefix_of
from shared.knowledge.lifecycle import publish, start_upload_work
from shared.knowledge.models import Document, DocumentStatus, ObjectVersion, Stage
from shared.knowledge.policy import IngestionPolicy
from shared.knowledge.settlement import Settlement
from shared.operations.capabilities import ARTIFACTS, METADATA, UPLOADS
from shared.tenancy.models import OPERATORS
from shared.tenancy.plans import STARTER, Figures
from tests.canaries import canary_of
from tests.enrolment import Enrolment
from tests.ingestion.cloud import Cloud
from tests.records import transactions_of
from tests.signing import TestSigner

POLICY = IngestionPolicy()


@dataclass(frozen=True)
class Tenant:
    """One tenant; every request is signed for a user of the given role."""

    id: str
    client: httpx.AsyncClient
    issuer: TestSigner
    cloud: Cloud
    people: Enrolment

    @property
    def records(self) -> DynamoRecords:
        return DynamoRecords(transactions_of(self.cloud), self.cloud.address_of(METADATA))

    @property
    def artifacts(self) -> S3Artifacts:
        return S3Artifacts(self.cloud.s3, self.cloud.address_of(ARTIFACTS))

    @property
    def canary(self) -> str:
        """What stands in the names of what this tenant makes, and must be told to nobody else."""
        return canary_of(self.id)

    def headers(self, role: Role = Role.MAINTAINER, user: str = "ada@example") -> dict[str, str]:
        """Sign in a user, who is made a member on first use; in each role it is somebody else, operators elsewhere."""
        name, tenant = f"{user}.{role.value}", OPERATORS if role is Role.OPERATOR else self.id
        self.people.enrol(tenant, name, role)
        return {"authorization": f"Bearer {self.issuer.issue(tenant, name, role)}"}

    async def send(
        self, method: str, path: str, role: Role = Role.MAINTAINER, *, user: str = "ada@example", **parts: Any
    ) -> httpx.Response:
        headers = {**self.headers(role, user), **parts.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **parts)

    async def create_base(self, **body: Any) -> str:
        response = await self.send("POST", "/knowledge-bases", json={"name": f"Policies {self.canary}", **body})
        assert response.status_code == 201, response.text
        created: str = response.json()["id"]
        return created

    async def promise(self, base: str, name: str = "terms.md", **body: Any) -> dict[str, Any]:
        response = await self.send("POST", f"/knowledge-bases/{base}/uploads", json={"name": name, **body})
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created

    async def record(self, base: str, document_id: str) -> Document:
        found = await self.records.document(TenantId(self.id), KnowledgeBaseId(base), DocumentId(document_id))
        assert found is not None
        return found

    async def drop(self, base: str, name: str, content: str, figures: Figures = STARTER) -> Document:
        """Put a file into the bucket and take it in, up to the parser's door or the end of the waiting line."""
        key = parse_key(prefix_of(TenantId(self.id), KnowledgeBaseId(base)) + name)
        assert key is not None
        put = self.cloud.s3.put_object(Bucket=self.cloud.address_of(UPLOADS), Key=key.key, Body=content.encode())
        version = ObjectVersion(
            put["VersionId"],
            put["ETag"].strip('"'),
            len(content.encode()),
            hashlib.sha256(content.encode()).hexdigest(),
        )
        now = SystemClock().now()
        kb = await self.records.knowledge_base(key.tenant, key.kb_id)
        assert kb is not None
        before = await self.records.document(key.tenant, key.kb_id, key.document_id)
        fresh = before or Document(
            tenant=key.tenant,
            kb_id=key.kb_id,
            document_id=key.document_id,
            key=key.key,
            name=key.name,
            status=DocumentStatus.PROCESSING,
            stage=Stage.ACCEPTED,
            created_at=now,
            updated_at=now,
        )
        after = start_upload_work(fresh, version, kb.serving, now, TaskId("task_1"))
        settled = await Settlement(self.records, SystemClock(), POLICY).settle(kb, before, after, figures=figures)
        return settled.document

    async def publish(self, base: str, name: str, content: str, pages: tuple[Page, ...] = ()) -> str:
        """Bring a document all the way to `ready`, with its canonical text, without parser and index."""
        document = await self.drop(base, name, content)
        return await self.complete(document, content, pages)

    async def complete(self, document: Document, content: str, pages: tuple[Page, ...] = ()) -> str:
        """Bring a document that was dropped to `ready`."""
        assert document.work is not None
        text = CanonicalText(content, "md", pages=pages)
        generation = document.work.generation
        await self.artifacts.put_text(document.tenant, document.kb_id, document.document_id, generation, text)
        kb = await self.records.knowledge_base(document.tenant, document.kb_id)
        assert kb is not None
        built = replace(document, work=replace(document.work, pages=1, chunks=1, batches=1, format="md"))
        live = publish(built, SystemClock().now(), POLICY)
        await Settlement(self.records, SystemClock(), POLICY).settle(kb, document, live, published=True)
        return document.document_id


def new_tenant_name() -> str:
    return f"tenant-{uuid4().hex[:12]}"


def problem_of(response: httpx.Response) -> tuple[int, str]:
    """Return status and code of a problem document; fails for any other answer."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    return response.status_code, response.json()["code"]


def body_without_request_id(response: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in response.json().items() if name != "request_id"}
