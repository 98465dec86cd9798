"""What a call to DynamoDB or S3 is about to touch, read from its parameters before anything is sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

PARTITION_KEY: Final = "pk"
"""Every table's."""

_TRANSACT_ACTIONS: Final = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Get": "dynamodb:GetItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}

_S3_ACTIONS: Final = {
    "CreateBucket": "s3:PutObject",  # how botocore prepares a presigned POST; nothing of ours creates buckets
    "HeadObject": "s3:GetObject",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListObjectsV2": "s3:ListBucket",
}
_LISTINGS: Final = frozenset({"ListObjectVersions", "ListObjectsV2"})


@dataclass(frozen=True, slots=True)
class Use:
    """One IAM action on one table or bucket, named by `address`.

    `keys` are the partition keys, object keys, or the prefix of a listing that the call names. `index` is the secondary
    index that it reads instead of the table, if it does.
    """

    address: str
    action: str
    keys: frozenset[str] = frozenset()
    index: str | None = None


def uses_of_dynamodb(operation: str, params: Mapping[str, Any]) -> list[Use]:
    """Return the uses of one call of the API. Of one that cannot be read they have no table, or no keys."""
    return list(_uses_of_dynamodb(operation, params))


def use_of_s3(operation: str, params: Mapping[str, Any]) -> Use:
    """Return the use of one call of the API. One of many objects at once is declared by nobody: a role names the action
    on versions apart from the one on objects, and such a call mixes them."""
    action = _S3_ACTIONS.get(operation, f"s3:{operation}")
    if params.get("VersionId") and action in {"s3:GetObject", "s3:DeleteObject"}:
        action += "Version"
    if operation in _LISTINGS:
        keys = frozenset({params.get("Prefix", "")})
    else:
        keys = frozenset({params["Key"]} if "Key" in params else ())
    return Use(params["Bucket"], action, keys)


def _uses_of_dynamodb(operation: str, params: Mapping[str, Any]) -> Iterator[Use]:
    if operation in {"TransactWriteItems", "TransactGetItems"}:
        for item in params["TransactItems"]:
            for verb, part in item.items():
                yield Use(part["TableName"], _TRANSACT_ACTIONS[verb], frozenset({_key_of(part)}))
    elif operation == "BatchGetItem":
        for table, asked in params["RequestItems"].items():
            yield Use(table, "dynamodb:BatchGetItem", frozenset(key[PARTITION_KEY]["S"] for key in asked["Keys"]))
    elif operation == "BatchWriteItem":
        for table, asked in params["RequestItems"].items():
            parts = [part for write in asked for part in write.values()]
            yield Use(table, "dynamodb:BatchWriteItem", frozenset(_key_of(part) for part in parts))
    elif operation in {"Query", "Scan"}:
        keys = frozenset(_queried(params) if operation == "Query" else ())
        yield Use(params["TableName"], f"dynamodb:{operation}", keys, params.get("IndexName"))
    else:
        keys = frozenset({_key_of(params)} if "Key" in params or "Item" in params else ())
        yield Use(params.get("TableName", ""), f"dynamodb:{operation}", keys)


def _key_of(part: Mapping[str, Any]) -> str:
    key: str = (part.get("Key") or part["Item"])[PARTITION_KEY]["S"]
    return key


def _queried(params: Mapping[str, Any]) -> Iterator[str]:
    """Yield the partition that a query's condition names first, written `pk = :name` in all of our queries.

    An index has a key of its own in that place; partition keys are strings, and nothing else of an index is one.
    """
    name, _, rest = params.get("KeyConditionExpression", "").partition("=")
    values = params.get("ExpressionAttributeValues", {})
    value = values.get(rest.split(" AND ", 1)[0].strip(), {})
    if ("IndexName" in params or name.strip() == PARTITION_KEY) and "S" in value:
        yield value["S"]
