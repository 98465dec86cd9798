"""The simulator answers as IAM's documentation says, and finds mistakes that were planted in the policies (T5)."""

import json
from copy import deepcopy
from typing import Any

import pytest

from shared.adapters.aws.calls import Use
from tests.policies.mutations import TENANT, gone_wrong, legitimate
from tests.policies.recorder import Call
from tests.policies.simulator import Request, simulate
from tests.policies.test_recorded_calls import OPERATIONS, policies_of

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/metadata"
BUCKET = "arn:aws:s3:::uploads"
KEYS, PREFIX = "dynamodb:LeadingKeys", "s3:prefix"
GET = "dynamodb:GetItem"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}


def of_table(condition, *actions):
    return {"Action": list(actions or (GET,)), "Resource": [TABLE], "Condition": condition}


LEADS = {"ForAllValues:StringLike": {KEYS: ["t#a", "t#a#*"]}}
SOME = {"Null": {KEYS: "false"}}
POLICIES = {
    "role": policy(
        of_table({"ForAllValues:StringLike": {KEYS: ["t#*"]}, **SOME}),
        {"Action": "s3:ListBucket", "Resource": BUCKET, "Condition": {"StringLike": {PREFIX: "t/*/*"}}},
        {"Action": "s3:GetObject", "Resource": f"{BUCKET}/t/*/*"},
    ),
    "session": policy(
        of_table({**LEADS, **SOME}, GET, "dynamodb:PutItem"),
        {"Action": "s3:ListBucket", "Resource": BUCKET, "Condition": {"StringLike": {PREFIX: "t/a/*"}}},
        {"Action": "s3:GetObject", "Resource": f"{BUCKET}/t/a/*"},
    ),
    "without null": policy(of_table(LEADS)),
    "equals": policy(of_table({"ForAllValues:StringEquals": {KEYS: ["t#a"]}, **SOME})),
    "any value": policy(of_table({"ForAnyValue:StringLike": {KEYS: ["t#a", "t#a#*"]}})),
    "denies": {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": GET, "Resource": TABLE},
            {
                "Effect": "Deny",
                "Action": GET,
                "Resource": TABLE,
                "Condition": {"StringEquals": {"aws:RequestedRegion": "x"}},
            },
        ],
    },
}

KNOWN: list[tuple[str, str | None, str, str, dict[str, Any], bool]] = [
    ("role", "session", GET, TABLE, {KEYS: ["t#a"]}, True),
    ("role", "session", GET, TABLE, {KEYS: ["t#a#kb#x", "t#a"]}, True),
    ("role", "session", GET, TABLE, {KEYS: ["t#ab"]}, False),
    ("role", "session", GET, TABLE, {KEYS: ["t#a", "t#b"]}, False),
    ("role", "session", GET, TABLE, {}, False),
    ("role", None, GET, TABLE, {KEYS: ["t#b"]}, True),
    ("session", None, "dynamodb:PutItem", TABLE, {KEYS: ["t#a"]}, True),
    # The session allows what the role does not, and the other way round: neither is enough.
    ("role", "session", "dynamodb:PutItem", TABLE, {KEYS: ["t#a"]}, False),
    ("without null", None, GET, TABLE, {}, True),
    ("equals", None, GET, TABLE, {KEYS: ["t#a"]}, True),
    ("equals", None, GET, TABLE, {KEYS: ["t#A"]}, False),
    ("equals", None, GET, TABLE, {KEYS: ["t#a#x"]}, False),
    ("any value", None, GET, TABLE, {KEYS: ["t#a", "t#b"]}, True),
    ("any value", None, GET, TABLE, {}, False),
    ("denies", None, GET, TABLE, {KEYS: ["t#a"]}, True),
    ("denies", None, GET, TABLE, {KEYS: ["t#a"], "aws:RequestedRegion": "x"}, False),
    ("role", "session", "s3:ListBucket", BUCKET, {PREFIX: "t/a/kb/"}, True),
    ("role", "session", "s3:ListBucket", BUCKET, {PREFIX: "t/ab/"}, False),
    ("role", "session", "s3:ListBucket", BUCKET, {}, False),
    ("role", "session", "s3:GetObject", f"{BUCKET}/t/a/x", {}, True),
    ("role", "session", "s3:GetObject", f"{BUCKET}/t/ab/x", {}, False),
    ("role", "session", "s3:GetObject", BUCKET + "/t/a", {}, False),
]


def test_answers_are_those_of_the_documentation():
    requests = [Request(role, session, *asked) for role, session, *asked, _ in KNOWN]  # type: ignore[arg-type]

    assert simulate(POLICIES, requests) == [expected for *_, expected in KNOWN]


def test_an_action_that_iam_does_not_know_is_no_answer():
    with pytest.raises(AssertionError, match="Error"):
        simulate(POLICIES, [Request("role", "session", "dynamodb:ReadEverything", TABLE)])


CALLS = [
    Call("list_documents", TENANT, (Use("metadata", "dynamodb:Query", frozenset({f"t#{TENANT}#kb#x"})),)),
    Call("seal_audit_events", TENANT, (Use("audit", "dynamodb:Query", frozenset({f"t#{TENANT}"}), "pending"),)),
    Call("sweep_generations", TENANT, (Use("artifacts", "s3:DeleteObjectVersion", frozenset({f"t/{TENANT}/kb/x"})),)),
    Call("sweep_generations", TENANT, (Use("artifacts", "s3:ListBucketVersions", frozenset({f"t/{TENANT}/kb/x"})),)),
]


def _without_null(statement):
    statement.get("Condition", {}).pop("Null", None)


def _without_delimiter(statement):
    _replace(statement, f"t#{TENANT}#*", f"t#{TENANT}*")


def _of_any_tenant(statement):
    _replace(statement, f"t#{TENANT}#*", "t#*")


def _with_indexes(statement):
    if "Null" in statement.get("Condition", {}):
        statement["Resource"] = [f"{one}*" for one in statement["Resource"]]
        statement["Condition"] = {}


def _of_all_objects(statement):
    statement["Resource"] = [str(one).replace(f"/t/{TENANT}/*", "/*") for one in statement["Resource"]]


def _of_objects_without_delimiter(statement):
    statement["Resource"] = [str(one).replace(f"/t/{TENANT}/*", f"/t/{TENANT}*") for one in statement["Resource"]]


def _listing_without_prefix(statement):
    if "s3:prefix" in str(statement):
        statement["Condition"] = {}


def _listing_without_delimiter(statement):
    _replace(statement, f"t/{TENANT}/*", f"t/{TENANT}*", within="Condition")


def _any_value(statement):
    condition = statement.get("Condition", {})
    if "ForAllValues:StringLike" in condition:
        condition["ForAnyValue:StringLike"] = condition.pop("ForAllValues:StringLike")


def _replace(statement, old, new, within=None):
    places = [within] if within else ["Condition"]
    for place in places:
        if place in statement:
            statement[place] = json.loads(json.dumps(statement[place]).replace(json.dumps(old), json.dumps(new)))


@pytest.mark.parametrize("mistake", [
    _without_null, _without_delimiter, _of_any_tenant, _with_indexes, _of_all_objects, _of_objects_without_delimiter,
    _listing_without_prefix, _listing_without_delimiter, _any_value,
], ids=lambda mistake: mistake.__name__.strip("_"))  # fmt: skip
def test_planted_mistake_is_found(deployed, mistake):
    """Planted in both policies, for each of them alone already keeps some mistakes of the other from mattering."""
    policies: dict[str, Any] = {}
    for name in {call.operation for call in CALLS}:
        policies |= policies_of(deployed, OPERATIONS[name])
    flawed = deepcopy(policies)
    for text in flawed.values():
        for statement in text["Statement"]:
            for one in ("Action", "Resource"):
                statement[one] = statement[one] if isinstance(statement[one], list) else [statement[one]]
            mistake(_as_of_the_tenant(statement))

    wrong = [request for _, request in gone_wrong(CALLS, deployed.arns)]

    assert not any(simulate(policies, wrong))
    assert all(simulate(policies, list(legitimate(CALLS, deployed.arns))))
    assert flawed != policies
    assert any(simulate(flawed, wrong))


def _as_of_the_tenant(statement):
    """Make of the role's statement for any tenant one for this tenant, so that a mistake in it is one in both."""
    text = json.dumps(statement).replace('"t#*"', f'"t#{TENANT}", "t#{TENANT}#*"').replace("t/*/*", f"t/{TENANT}/*")
    statement.clear()
    statement.update(json.loads(text))
    return statement
