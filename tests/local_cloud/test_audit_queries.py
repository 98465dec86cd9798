"""What is done through the deployed API is soon found in the audit log: sealed, copied, searched and exported."""

import time

import httpx
import pytest

from shared.audit.chain import genesis
from shared.audit.exports import read_export
from shared.kernel.ids import TenantId

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

TIMEOUT_S = 90.0


def test_acts_are_searched_and_exported_a_little_later(tenant):
    kb_id = tenant.create_knowledge_base()
    query = {"kind": "write", "operation_id": "create_knowledge_base", "resource": "knowledge-bases"}
    deadline = time.monotonic() + TIMEOUT_S
    while not (found := tenant.api.call("GET", "/audit-events", query=query)["items"]):
        assert time.monotonic() < deadline, f"{kb_id} is not told of"
        time.sleep(0.5)

    assert [(one["actor"], one["role"], one["outcome"]) for one in found] == [("usr_owner", "owner", "done")]
    export = tenant.api.call("POST", "/audit-exports", {})
    assert export["previous_hash"] == genesis(TenantId(tenant.name)).hash.hex()
    content = httpx.get(export["url"], timeout=30).content
    lines = read_export(bytes.fromhex(export["previous_hash"]), content)
    assert found[0]["hash"] in {one.hash.hex() for one in lines}
