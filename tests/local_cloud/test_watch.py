"""The watch over the deployed cloud finds what it is there for: in answers, lines, metrics and stores (T5)."""

import json
import secrets
import time

import httpx
import pytest

from localstack import aws, function_logs
from localstack.function_logs import LogLine
from shared.identity.permissions import Role
from shared.operations.capabilities import CACHE, DATABASE_OWNER, EVENTS, IDENTITY, RESOURCES, Queue
from shared.tenancy.models import OPERATORS
from tests.canaries import WATCH, canary_of
from tests.local_cloud.conftest import TIMEOUT_S
from tests.local_cloud.planted import planted
from tests.local_cloud.watching import FUNCTIONS, Asked, DeployedWatch, stores_of
from tests.stores import READERS, leaks_in, of_table

pytestmark = pytest.mark.real_server

ACME, GLOBEX = "tenant-0123456789ab", "tenant-ba9876543210"

TALKATIVE = """
import json

def handler(event, context):
    for line in event["lines"]:
        print(line)
"""


def test_foreign_name_in_an_answer_is_found(tenant, new_tenant):
    stranger = new_tenant()
    kb_id = tenant.create_knowledge_base(name=f"Copied from {stranger.canary}")
    assert WATCH.take() == []  # whoever sends it knows it

    tenant.api.call("GET", f"/knowledge-bases/{kb_id}")

    (leak,) = WATCH.take()
    assert (leak.where, leak.marks) == (f"answer to GET /knowledge-bases/{kb_id}", frozenset({stranger.canary}))


def test_foreign_name_in_a_header_is_found_whoever_asks(tenant, new_tenant, local_cloud):
    stranger = new_tenant()
    key = f"t/{tenant.name}/kb/elsewhere"
    s3 = aws.s3(local_cloud.emulator.endpoint)
    told = {"of": stranger.canary, "and-of": tenant.canary}
    s3.put_object(Bucket=local_cloud.uploads_bucket, Key=key, Metadata=told)

    found = httpx.get(f"{local_cloud.emulator.endpoint}/{local_cloud.uploads_bucket}/{key}")

    assert stranger.canary in str(found.headers)
    (leak,) = WATCH.take()
    assert leak.marks == {stranger.canary}
    for version in s3.list_object_versions(Bucket=local_cloud.uploads_bucket, Prefix=key)["Versions"]:
        s3.delete_object(Bucket=local_cloud.uploads_bucket, Key=key, VersionId=version["VersionId"])


def test_answers_are_watched_through_every_client_of_this_process(tenant, local_cloud):
    before = WATCH.responses

    tenant.api.call("GET", "/knowledge-bases")
    httpx.get(f"{local_cloud.api_address}/health")
    with httpx.Client() as client, client.stream("GET", f"{local_cloud.api_address}/health") as streamed:
        assert json.loads(b"".join(streamed.iter_bytes())) == {"status": "ok"}

    assert WATCH.responses == before + 3


def test_operators_see_all_organisations(local_cloud, people, tenant):
    token = people.token(OPERATORS, "usr_operator", Role.OPERATOR)

    listed = httpx.get(
        f"{local_cloud.api_address}/tenants", headers={"authorization": f"Bearer {token}"}, params={"limit": "100"}
    )

    assert listed.status_code == 200
    assert WATCH.take() == []


def test_lines_and_metrics_of_a_function_that_really_runs_are_found(local_cloud):
    name = f"planted-{secrets.token_hex(4)}"
    metrics = {"_aws": {"CloudWatchMetrics": [{"Namespace": "Tessera"}]}, "service": name, f"searches_of_{ACME}": [1.0]}
    lines = [
        f"about {ACME}",
        f"about {ACME} and {GLOBEX}",
        f"text of {canary_of(ACME)}",
        "nothing",
        json.dumps(metrics),
    ]
    watch = DeployedWatch(local_cloud)

    with planted(local_cloud.emulator, name, TALKATIVE) as function:
        function.invoke({"lines": lines})
        leaks = [leak for leak in watch.leaks() if leak.where.endswith(name)]

    assert [(leak.where, leak.marks) for leak in leaks] == [
        (f"log of {name}", frozenset({ACME, GLOBEX})),
        (f"log of {name}", frozenset({canary_of(ACME)})),
        (f"metrics of {name}", frozenset({ACME})),
    ]
    assert watch.metrics >= 1
    assert watch.log_lines >= 4


@pytest.mark.parametrize(
    ("function", "text", "found"),
    [
        ("search_knowledge_base", f"asked by {ACME}", 0),
        ("search_knowledge_base", f"asked by {GLOBEX}", 1),
        ("search_knowledge_base", f"about {canary_of(ACME)}", 1),
        ("authorize_request", f"asked by {GLOBEX}", 1),
        ("parse_document", f"of {GLOBEX}", 0),
        ("parse_document", f"of {GLOBEX} and {ACME}", 1),
        ("parse_document", f"about {canary_of(GLOBEX)}", 1),
        ("parse_document", "of nobody", 0),
    ],
)
def test_function_behind_a_route_names_whom_it_answers_and_every_other_one_tenant_a_line(
    local_cloud, function, text, found
):
    now = time.time() * 1000
    watch = DeployedWatch(local_cloud, asked=[Asked(now - 1000, now - 500, frozenset({ACME, canary_of(ACME)}))])
    record = {"level": "INFO", "message": text, "timestamp": _written(now - 700)}

    assert len(list(watch.leaks_in([LogLine(f"{FUNCTIONS}{function}", int(now), json.dumps(record))]))) == found


def test_line_that_was_written_when_nobody_asked_names_nobody(local_cloud):
    now = time.time() * 1000
    watch = DeployedWatch(local_cloud, asked=[Asked(now - 1000, now - 500, frozenset({ACME}))])
    record = {"level": "INFO", "message": f"asked by {ACME}", "timestamp": _written(now)}

    (leak,) = watch.leaks_in([LogLine(f"{FUNCTIONS}search_knowledge_base", int(now), json.dumps(record))])

    assert leak.marks == {ACME}


def test_names_of_files_that_are_left_alone_stand_in_no_line(tenant, local_cloud):
    since, name = int(time.time() * 1000), f"{tenant.canary}.md"
    tenant.drop(f"kb_{'0' * 26}", name, "nobody's")
    outside = {"Bucket": local_cloud.uploads_bucket, "Key": f"t/{tenant.name}/elsewhere/{name}"}
    aws.s3(local_cloud.emulator.endpoint).put_object(**outside, Body=b"nobody's")

    deadline, lines = time.monotonic() + TIMEOUT_S, list[LogLine]()
    while len(lines) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
        logged = function_logs.read(local_cloud.emulator, since)
        lines = [line for line in logged if "left alone" in line.text and line.function.endswith("accept_upload")]

    assert len(lines) == 2
    assert list(DeployedWatch(local_cloud).leaks_in(lines)) == []


def test_what_somebody_writes_into_a_path_stands_in_no_line(tenant, local_cloud):
    watch = DeployedWatch(local_cloud)

    refused = tenant.api.send("GET", f"/knowledge-bases/{tenant.canary}")

    assert refused.is_client_error
    assert [leak for leak in watch.leaks() if tenant.canary in leak.marks] == []


def test_functions_behind_routes_are_read_too(tenant, local_cloud):
    since = int(time.time() * 1000)
    tenant.create_knowledge_base()

    told = [line for line in function_logs.read(local_cloud.emulator, since) if "_aws" in line.text]

    assert {line.function for line in told} >= {f"{FUNCTIONS}create_knowledge_base"}


def test_record_with_a_foreign_name_is_found_in_the_deployed_tables(tenant, new_tenant, local_cloud, monkeypatch):
    stranger = new_tenant()
    for name, value in local_cloud.emulator.environment.items():
        monkeypatch.setenv(name, value)
    stores = stores_of(local_cloud)
    table = {"TableName": stores.address_of(IDENTITY)}
    key = {"pk": {"S": f"t#{tenant.name}"}, "sk": {"S": "planted"}}
    stores.dynamodb.put_item(**table, Item={**key, "name": {"S": stranger.canary}})
    try:
        found = leaks_in(of_table(stores, IDENTITY), WATCH.sent)
    finally:
        stores.dynamodb.delete_item(**table, Key=key)

    assert [leak.marks for leak in found] == [{stranger.canary}]
    assert "planted" in found[0].where


def test_every_store_that_the_local_cloud_has_is_looked_into(local_cloud):
    stores = stores_of(local_cloud)

    nowhere = {one.name for one in RESOURCES if type(one) in READERS and not stores.variables.get(one.variable)}

    # Limits are counted in a table, the local database's owner has no password, and nobody publishes.
    assert nowhere == {CACHE.name, DATABASE_OWNER.name, EVENTS.name}
    assert set(stores.dead_letters) == {one.name for one in RESOURCES if isinstance(one, Queue)}


def _written(moment):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment / 1000)) + f",{int(moment % 1000):03d}+0000"
