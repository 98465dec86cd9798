"""A deployed local cloud of its own for the whole run, and tenants that know nothing of each other."""

import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from localstack import aws, cloud
from localstack.api import Api
from localstack.cloud import LocalCloud
from shared.identity.permissions import Role
from tests.canaries import canary_of
from tests.local_cloud.people import People
from tests.local_cloud.watching import DeployedWatch
from tests.own_folders import own_folder

REUSED = "TESSERA_TEST_CLOUD"
"""Names the folder of a local cloud that runs already: it is used as it is, and left running."""

TIMEOUT_S = 60.0
SECOND_CELL = "second"
CELLS = {"vector_cells": json.dumps([{"id": SECOND_CELL}])}
"""A further cell, a file beside the first one; `make run` has one cell."""


@pytest.fixture(scope="package")
def watch() -> Iterator[DeployedWatch]:
    """The production template on an emulator with free ports and a folder of its own, watched all the while."""
    reused = os.environ.get(REUSED)
    if reused:
        yield from watched(DeployedWatch(cloud.find(Path(reused))))
        return
    with own_folder("local-cloud") as folder:
        try:
            watch = DeployedWatch(cloud.start(folder, 0, CELLS, lambda _: None), since=0)
            yield from watched(watch)
            assert watch.leaks_in_stores() == []
        finally:
            cloud.stop(folder)


def watched(watch: DeployedWatch) -> Iterator[DeployedWatch]:
    """Look at all answers meanwhile, and at the end at all that the functions logged and measured."""
    with watch.listening():
        yield watch
    assert watch.leaks() == []
    assert watch.log_lines > 0
    assert watch.metrics > 0


@pytest.fixture(scope="package")
def local_cloud(watch: DeployedWatch) -> LocalCloud:
    return watch.cloud


@dataclass(frozen=True)
class Tenant:
    """An organisation and its owner, who works with the deployed API and the bucket."""

    cloud: LocalCloud
    name: str
    api: Api

    @property
    def canary(self) -> str:
        """What stands in the names and texts of this tenant, and must be told to nobody else."""
        return canary_of(self.name)

    def create_knowledge_base(self, **settings: Any) -> str:
        made = self.api.call("POST", "/knowledge-bases", {"name": f"Base {self.canary}", **settings})
        return str(made["id"])

    def drop(self, kb_id: str, name: str, content: str | bytes) -> None:
        """Put a file under the tenant's prefix, as a job that synchronises a file share does."""
        body = self._marked(name, content.encode() if isinstance(content, str) else content)
        s3 = aws.s3(self.cloud.emulator.endpoint)
        s3.put_object(Bucket=self.cloud.uploads_bucket, Key=f"t/{self.name}/kb/{kb_id}/{name}", Body=body)

    def upload(self, kb_id: str, name: str, content: bytes, **promise: Any) -> str:
        """Send a file through a presigned form; return the document's id."""
        content = self._marked(name, content)
        made = self.api.call(
            "POST", f"/knowledge-bases/{kb_id}/uploads", {"name": name, "size_bytes": len(content), **promise}
        )
        sent = httpx.post(made["url"], data=made["fields"], files={"file": (name, content)}, timeout=30)
        sent.raise_for_status()
        return str(made["document_id"])

    def _marked(self, name: str, content: bytes) -> bytes:
        """Return a page of Markdown with the tenant's canary in a section of its own; anything else as it is."""
        if not content or not name.endswith(".md"):
            return content
        return content + f"\n\n# Filing\n\nThe archive keeps this sheet as {self.canary}.\n".encode()

    def documents(self, kb_id: str) -> dict[str, dict[str, Any]]:
        """Return all documents by name."""
        found: dict[str, dict[str, Any]] = {}
        query = {"limit": "100"}
        while True:
            page = self.api.call("GET", f"/knowledge-bases/{kb_id}/documents", query=query)
            found |= {document["name"]: document for document in page["items"]}
            if not page.get("next_page_token"):
                return found
            query["page_token"] = page["next_page_token"]

    def wait(
        self,
        kb_id: str,
        name: str,
        until: Callable[[dict[str, Any]], bool] = lambda document: document["status"] != "processing",
        timeout_s: float = TIMEOUT_S,
    ) -> dict[str, Any]:
        """Return the document called `name` as soon as it is as `until` wants it: by default, no longer on its way."""
        deadline = time.monotonic() + timeout_s
        document: dict[str, Any] | None = None
        while time.monotonic() < deadline:
            document = self.documents(kb_id).get(name)
            if document is not None and until(document):
                return document
            time.sleep(0.1)
        raise AssertionError(f"{name} is still {document} after {timeout_s:.0f} s")

    def wait_for_generation(self, kb_id: str, name: str, generation: int) -> dict[str, Any]:
        """Return the document once `generation` (or a newer one) of it is served."""
        return self.wait(kb_id, name, lambda document: document.get("live", {}).get("generation", 0) >= generation)

    def ask(self, kb_id: str, question: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.call("POST", f"/knowledge-bases/{kb_id}/answers", {"question": question})
        return answer

    def search(self, kb_id: str, query: str, **settings: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.api.call("POST", f"/knowledge-bases/{kb_id}/search", {"query": query, **settings})
        return found


@pytest.fixture(scope="package")
def people(local_cloud: LocalCloud) -> People:
    return People(local_cloud)


@pytest.fixture
def new_tenant(local_cloud: LocalCloud, people: People) -> Iterator[Callable[[], Tenant]]:
    """Make tenants that nobody used before."""
    opened: list[Api] = []

    def make() -> Tenant:
        name = f"tenant-{secrets.token_hex(6)}"
        api = Api(local_cloud.api_address, people.token(name, "usr_owner", Role.OWNER))
        opened.append(api)
        return Tenant(local_cloud, name, api)

    yield make
    for api in opened:
        api.__exit__()


@pytest.fixture
def tenant(new_tenant: Callable[[], Tenant]) -> Tenant:
    return new_tenant()
