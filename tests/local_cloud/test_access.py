"""Who gets in: the deployed authorizer and the permission check behind it."""

import base64
import json

import httpx
import pytest

from localstack.api import Api
from shared.identity.permissions import Role
from shared.knowledge.errors import KnowledgeBaseNotFoundError
from tests.local_cloud.people import ISSUER
from tests.signing import stranger_beside

pytestmark = pytest.mark.real_server


def test_health_needs_no_token(local_cloud):
    with Api(local_cloud.api_address, None) as anybody:
        assert anybody.call("GET", "/health") == {"status": "ok"}


def test_missing_token_is_refused(local_cloud):
    assert httpx.get(f"{local_cloud.api_address}/knowledge-bases").status_code == 401


def test_token_of_another_key_is_refused(local_cloud, people):
    people.token("acme", "usr_owner", Role.OWNER)
    forged = stranger_beside(people.signer).issue("acme", "usr_owner", Role.OWNER, iss=ISSUER)

    with Api(local_cloud.api_address, forged) as forger:
        refused = forger.send("GET", "/knowledge-bases")

    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")


def test_token_with_another_tenant_written_into_it_is_refused(local_cloud, people):
    header, written, signature = people.token("acme", "usr_owner", Role.OWNER).split(".")
    claims = json.loads(base64.urlsafe_b64decode(written + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "tenant": "globex"}).encode()).rstrip(b"=").decode()

    with Api(local_cloud.api_address, f"{header}.{forged}.{signature}") as forger:
        refused = forger.send("GET", "/knowledge-bases")

    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")


def test_viewer_reads_and_may_not_write_even_after_reading(local_cloud, people):
    with Api(local_cloud.api_address, people.token("acme", "usr_viewer", Role.VIEWER)) as viewer:
        assert viewer.send("GET", "/knowledge-bases").status_code == 200
        refused = viewer.send("POST", "/knowledge-bases", {"name": "Mine"})

    assert refused.status_code == 403
    assert refused.json()["code"] == "forbidden"


def test_base_of_another_tenant_looks_missing(tenant, new_tenant):
    kb_id = tenant.create_knowledge_base()
    stranger = new_tenant()

    refusals = [
        stranger.api.send(method, path, body)
        for method, path, body in (
            ("GET", f"/knowledge-bases/{kb_id}", None),
            ("DELETE", f"/knowledge-bases/{kb_id}", None),
            ("GET", f"/knowledge-bases/{kb_id}/documents", None),
            ("POST", f"/knowledge-bases/{kb_id}/uploads", {"name": "a.txt", "size_bytes": 1}),
            ("POST", f"/knowledge-bases/{kb_id}/search", {"query": "notice"}),
            ("POST", f"/knowledge-bases/{kb_id}/answers", {"question": "How long is the notice period?"}),
        )
    ]

    assert {(refused.status_code, refused.json()["code"]) for refused in refusals} == {
        (404, KnowledgeBaseNotFoundError.code)
    }
    assert stranger.api.call("GET", "/knowledge-bases")["items"] == []
