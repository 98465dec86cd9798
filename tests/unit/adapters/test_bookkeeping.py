"""A write that no audit event tells of is refused before it is sent, unless it is on the one list."""

import pytest

from shared.adapters.dynamodb import bookkeeping
from shared.adapters.dynamodb.bookkeeping import NOTE_USE, RULES, UnauditedWriteError, check_told, progressing
from shared.operations import capabilities

NAMES = {"m": "metadata", "i": "identity", "a": "audit", "l": "limits", "e": "embeddings"}
DOCUMENT = ("t#acme#kb#kb_1", "doc#doc_1")


def item(table, partition, sort):
    return {"TableName": table, "Item": {"pk": {"S": partition}, "sk": {"S": sort}}}


def key(table, partition, sort, expression="SET x = :y"):
    return {"TableName": table, "Key": {"pk": {"S": partition}, "sk": {"S": sort}}, "UpdateExpression": expression}


def event_of(tenant):
    return {"Put": item("a", f"t#{tenant}", "pending#aud_1")}


def check(operation, params):
    check_told(operation, params, NAMES.get)


def transaction(*actions):
    return "TransactWriteItems", {"TransactItems": list(actions)}


@pytest.mark.parametrize(("operation", "params"), [
    ("PutItem", item("m", *DOCUMENT)),
    ("PutItem", item("i", "t#acme", "member#ada")),
    ("UpdateItem", key("i", "user#ada", "user")),
    ("UpdateItem", key("i", "t#acme", "key#key_1")),
    ("DeleteItem", key("m", "t#acme", "kb#kb_1")),
    ("BatchWriteItem", {"RequestItems": {"m": [{"DeleteRequest": key("m", *DOCUMENT)}]}}),
    ("BatchWriteItem", {"RequestItems": {"a": [{"PutRequest": event_of("acme")["Put"]}],
                                         "i": [{"PutRequest": item("i", "t#globex", "tenant")}]}}),
    transaction({"Put": item("m", *DOCUMENT)}),
    transaction({"Put": item("m", *DOCUMENT)}, event_of("globex")),
    transaction({"Put": item("m", *DOCUMENT)}, {"Put": item("a", "t#acme", "block#1")}),
    transaction({"Put": item("m", *DOCUMENT)}, {"ConditionCheck": event_of("acme")["Put"] | key("a", "t#acme", "x")}),
    transaction({"Put": item("m", *DOCUMENT)}, {"Delete": key("i", "t#globex", "member#ada")}, event_of("acme")),
    transaction({"Update": key("m", "t#acme", "tally")}),
    transaction({"Put": item("i", "user#ada", "user")}),
])  # fmt: skip
def test_write_that_nothing_tells_of_is_refused(operation, params):
    with pytest.raises(UnauditedWriteError):
        check(operation, params)


@pytest.mark.parametrize(("operation", "params"), [
    transaction({"Put": item("m", *DOCUMENT)}, event_of("acme")),
    transaction({"Put": item("i", "user#ada", "user")}, {"Put": item("i", "t#acme", "member#ada")}, event_of("acme")),
    transaction({"ConditionCheck": key("i", "t#globex", "tenant")}),
    ("UpdateItem", key("i", "t#acme", "key#key_1", NOTE_USE)),
    ("PutItem", item("m", "t#acme", "request#abc")),
    ("PutItem", item("i", "email#ada@people.example", "guesses")),
    ("DeleteItem", key("i", "oidc#abc", "sign-in")),
    ("PutItem", item("l", "anything", "else")),
    ("PutItem", {"TableName": "e", "Item": {"other": {"S": "keys"}}}),
    ("GetItem", key("m", *DOCUMENT)),
])  # fmt: skip
def test_what_is_told_of_and_what_needs_no_telling_goes_through(operation, params):
    check(operation, params)


def test_work_that_moves_on_by_itself_goes_through_where_it_says_so_and_only_there():
    moved = transaction({"Put": item("m", *DOCUMENT)}, {"Update": key("m", "t#acme#kb#kb_1", "tally")})

    with progressing():
        check(*moved)
        with pytest.raises(UnauditedWriteError):
            check("PutItem", item("i", "t#acme", "member#ada"))
    with pytest.raises(UnauditedWriteError):
        check(*moved)


def test_the_list_names_tables_as_their_resources_are_named_and_gives_reasons():
    assert capabilities.METADATA.name == bookkeeping.METADATA
    assert capabilities.IDENTITY.name == bookkeeping.IDENTITY
    assert capabilities.AUDIT.name == bookkeeping.AUDIT
    assert all(rule.reason.endswith(".") for rule in RULES)
