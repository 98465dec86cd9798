"""What is done through the deployed API, from the act to a file that a stranger verifies: sealed, copied, searched."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from localstack import functions
from localstack.api import Api
from localstack.install import ROOT
from shared.audit.events import EventKind
from shared.identity.permissions import Role
from tests.local_cloud.conftest import Tenant

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

TIMEOUT_S = 90.0


def test_acts_are_sealed_searched_verified_and_exported(tenant, new_tenant, people, tmp_path):
    kb_id = tenant.create_knowledge_base()
    tenant.api.call("GET", f"/knowledge-bases/{kb_id}")
    with Api(tenant.cloud.api_address, people.token(tenant.name, "usr_viewer", Role.VIEWER)) as viewer:
        refused = viewer.send("DELETE", f"/knowledge-bases/{kb_id}").json()
    tenant.drop(kb_id, "terms.md", "The notice period is 30 days.")
    tenant.wait(kb_id, "terms.md")
    of_base, of_document = f"knowledge-bases/{kb_id}", {"accept_upload", "publish_document"}
    acts = {
        ("create_knowledge_base", "usr_owner", "owner", EventKind.WRITE, of_base, "done"),
        ("get_knowledge_base", "usr_owner", "owner", EventKind.ACCESS, of_base, "admitted"),
        ("delete_knowledge_base", "usr_viewer", "viewer", EventKind.REFUSAL, of_base, "forbidden"),
    }

    told = wait_for_events(tenant, {act[0] for act in acts} | of_document)

    shown = {
        tuple(one.get(name) for name in ("operation", "actor", "role", "kind", "resource", "outcome")) for one in told
    }
    assert acts <= shown
    (of_refusal,) = [one for one in told if one["operation"] == "delete_knowledge_base"]
    assert (of_refusal["request_id"], of_refusal["ip"]) == (refused["request_id"], "127.0.0.1")
    assert {one["actor"] for one in told if one["operation"] in of_document} == {"system"}
    # The copy has every line, and each with the hash of the log itself.
    assert [one["seq"] for one in told] == list(range(len(told), 0, -1))
    assert tenant.canary not in str(told)
    assert new_tenant().api.call("GET", "/audit-events", query={"resource": of_base})["items"] == []

    verified = tenant.api.call("GET", "/audit-log/verification")
    whole = functions.invoke(tenant.cloud.emulator, "verify_whole_audit_log", {"tenant": tenant.name})
    assert (verified["is_intact"], whole["is_intact"]) == (True, True)
    assert whole["last_seq"] >= verified["last_seq"] >= told[0]["seq"]

    export = tenant.api.call("POST", "/audit-exports", {})
    file = tmp_path / "audit.log"
    file.write_bytes(httpx.get(export["url"], timeout=30).content)
    assert {one["hash"] for one in told} <= {line.partition(" ")[0] for line in file.read_text().splitlines()}
    assert tenant.canary not in file.read_text()
    last = f"{export['last_seq']}:{export['last_hash']}"
    assert verify_offline(file, "--last", last) == (0, "✓ All lines are what was written.")
    content = file.read_bytes()
    for place in (content.index(b"usr_owner"), len(content) // 2):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert verify_offline(file)[0] == 1
    file.write_bytes(content[: content.rindex(b"\n", 0, -1) + 1])
    assert verify_offline(file, "--last", last)[0] == 1


def wait_for_events(tenant: Tenant, operations: set[str]) -> list[dict[str, Any]]:
    """Return all that the searchable log tells, the newest first, once it tells of all these operations."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        told = events_of(tenant)
        missing = operations - {one["operation"] for one in told}
        if not missing:
            return told
        assert time.monotonic() < deadline, f"not told of: {missing}"
        time.sleep(0.5)


def events_of(tenant: Tenant) -> list[dict[str, Any]]:
    """Return the events of all pages."""
    found: list[dict[str, Any]] = []
    query = {"limit": "50"}
    while True:
        page = tenant.api.call("GET", "/audit-events", query=query)
        found += page["items"]
        if page.get("next_page_token") is None:
            return found
        query["page_token"] = page["next_page_token"]


def verify_offline(file: Path, *options: str) -> tuple[int, str]:
    """Return what the documented command ends with, and its last line, in an environment without any setting."""
    command = [sys.executable, "-m", "shared.composition.verify_export", str(file), *options]
    ended = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False, timeout=60)
    return ended.returncode, ended.stdout.splitlines()[-1]
