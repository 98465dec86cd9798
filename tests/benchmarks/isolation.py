"""What isolation costs a request in process: its context, the look at each call, and credentials of its tenant."""

import statistics
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from shared.adapters.aws.calls import Use, use_of_s3, uses_of_dynamodb
from shared.adapters.aws.messages import tenants_of_messages
from shared.adapters.aws.session_credentials import CallCredentials, TenantSessions
from shared.audit.messages import RecordAccesses
from shared.composition.settings import REGION, Settings
from shared.composition.tenant_access import TenantAccess
from shared.kernel.clock import SystemClock
from shared.kernel.ids import TenantId
from shared.kernel.tenants import admitted
from shared.operations.grants import Grants
from shared.operations.registry import load_operation
from shared.operations.tenant_policies import TENANT_ROLE
from shared.operations.tenants import within
from tests.audit.samples import event
from tests.benchmarks.table import Table

REQUESTS = 5_000
STORES = 6
"""How often a question asks whose turn it is where no call to AWS follows."""
TENANTS = [TenantId(f"tn-{number:026d}") for number in range(200)]
OPERATION = load_operation("knowledge", "answer_question")
SETTINGS = Settings(
    {
        TENANT_ROLE: "arn:aws:iam::123456789012:role/tessera-answer_question",
        REGION: "eu-central-1",
        **{use.resource.variable: use.resource.name for use in OPERATION.capabilities},
    }
)


class Sts:
    """Gives sessions at once: what AWS takes for the first one of a tenant is no part of this."""

    def assume_role(self, **_: Any) -> Any:
        expires_at = datetime.now(UTC) + timedelta(hours=1)
        return {
            "Credentials": {
                "AccessKeyId": "key", "SecretAccessKey": "secret", "SessionToken": "token", "Expiration": expires_at
            }
        }  # fmt: skip


def run() -> Table:
    access = TenantAccess(Grants(OPERATION.capabilities, OPERATION.id), SETTINGS, SystemClock())
    sessions: TenantSessions = access.sessions(Sts())  # type: ignore[arg-type]
    credentials = CallCredentials(None, lambda: sessions)
    for tenant in TENANTS:
        sessions.credentials(tenant)
    times = []
    for number in range(REQUESTS):
        tenant = TENANTS[number % len(TENANTS)]
        calls, message = _calls_of(tenant), {"MessageBody": _access_of(tenant)}
        started = perf_counter()
        with within(tenant):
            for uses in calls:
                credentials.serve(access.admit(uses()))
                credentials.get_frozen_credentials()
            for _ in range(STORES):
                admitted(tenant)
            for whose in tenants_of_messages("SendMessage", message):
                admitted(whose)
        times.append((perf_counter() - started) * 1_000)
    p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
    return Table(
        "Isolation",
        f"{REQUESTS} requests of {len(TENANTS)} tenants in turn, each with the seven calls of a question: two for "
        "limits, a knowledge base, live generations, two texts, an audit event. Context, guard and cached credentials "
        f"of the tenant; what {STORES} other stores and memories ask of the context (limits, both legs of the index, "
        "texts, sentences); whose the message is that tells of the access. Signing and sending, which every call needs "
        "anyway, are no part of it. The bar is 1 ms at p50.",
        ("p50", "p99", "p50 per call"),
        [(f"{p50:.3f} ms", f"{p99:.3f} ms", f"{p50 / 7 * 1_000:.1f} µs")],
    )


def _access_of(tenant: TenantId) -> str:
    return RecordAccesses(tenant=tenant, events=(event(tenant),)).model_dump_json()


def _calls_of(tenant: TenantId) -> list[Any]:
    """Return what reads each call of a request, as the clients do before they sign."""
    base = f"t#{tenant}#kb#kb_00000000000000000000000000"

    def key(partition: str) -> dict[str, Any]:
        return {"pk": {"S": partition}, "sk": {"S": "x"}}

    buckets = [key(f"t#{tenant}#bucket#{name}#") for name in ("answer", "api")]
    update = {"TableName": "limits", "Key": buckets[0]}
    text = {"Bucket": "artifacts", "Key": f"t/{tenant}/kb/kb_0/d/doc_0/g/1/text.json.gz"}

    def of_dynamodb(operation: str, params: dict[str, Any]) -> Any:
        return lambda: uses_of_dynamodb(operation, params)

    def of_text() -> list[Use]:
        return [use_of_s3("GetObject", text)]

    return [
        of_dynamodb("BatchGetItem", {"RequestItems": {"limits": {"Keys": buckets}}}),
        of_dynamodb("TransactWriteItems", {"TransactItems": [{"Update": update}, {"Update": update}]}),
        of_dynamodb("GetItem", {"TableName": "metadata", "Key": key(f"t#{tenant}")}),
        of_dynamodb("BatchGetItem", {"RequestItems": {"metadata": {"Keys": [key(base)] * 20}}}),
        of_text,
        of_text,
        of_dynamodb("PutItem", {"TableName": "audit", "Item": key(f"t#{tenant}")}),
    ]
