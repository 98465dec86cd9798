"""What a user does is sealed by the deployed functions, and verifies: stream, queue and schedules as AWS runs them."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from localstack import aws
from shared.adapters.dynamodb.audit_blocks import DynamoBlocks
from shared.audit.events import EventKind, read_line
from shared.kernel.ids import TenantId
from tests.local_cloud.conftest import TIMEOUT_S

pytestmark = pytest.mark.real_server


def sealed(tenant):
    """Return the events that stand in the tenant's chain."""
    outputs = tenant.cloud.deployment.outputs
    blocks = DynamoBlocks(aws.dynamodb(tenant.cloud.emulator.endpoint), outputs["AuditTable"])
    found = asyncio.run(blocks.blocks_after(TenantId(tenant.name), 0, 1_000))
    return [read_line(line)[1] for block in found for line in block.lines]


def test_writes_and_reads_are_sealed_within_seconds_and_verify(tenant):
    begun = datetime.now(UTC)
    kb_id = tenant.create_knowledge_base()
    tenant.api.call("GET", f"/knowledge-bases/{kb_id}")
    expected = {("create_knowledge_base", EventKind.WRITE), ("get_knowledge_base", EventKind.ACCESS)}

    deadline, told = time.monotonic() + TIMEOUT_S, sealed(tenant)
    while time.monotonic() < deadline and not expected <= {(one.operation, one.kind) for one in told}:
        time.sleep(0.2)
        told = sealed(tenant)

    assert expected <= {(one.operation, one.kind) for one in told}
    assert all(one.at >= begun for one in told if one.operation == "get_knowledge_base")
    verified = tenant.api.call("GET", "/audit-log/verification")
    assert (verified["is_intact"], verified["findings"]) == (True, [])
    assert verified["last_seq"] >= len(told)
