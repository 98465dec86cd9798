"""Whose a message, an event or a sealed value is: what does not say so is neither sent nor sealed."""

import json

import pytest

from shared.adapters.aws.messages import tenant_of_sealed, tenants_of_events, tenants_of_messages
from shared.kernel.tenants import TenantContextError

SEND = "SendMessage"


def message(body, **more):
    return {"MessageBody": body if isinstance(body, str) else json.dumps(body), **more}


def test_every_message_of_a_batch_says_whose_it_is():
    entries = [message({"tenant": "acme", "kb_id": "x"}), message({"tenant": "globex"}, MessageGroupId="globex")]

    assert tenants_of_messages("SendMessageBatch", {"Entries": entries}) == {"acme", "globex"}
    assert tenants_of_messages(SEND, entries[0]) == {"acme"}


def test_a_message_in_the_turn_of_another_is_of_both():
    assert tenants_of_messages(SEND, message({"tenant": "acme"}, MessageGroupId="globex")) == {"acme", "globex"}


def test_keys_of_objects_say_whose_they_are():
    assert tenants_of_messages(SEND, message({"keys": ["t/acme/kb/x", "t/globex/kb/y"]})) == {"acme", "globex"}
    assert tenants_of_messages(SEND, message({"keys": ["t/globex/kb/y"], "tenant": "acme"})) == {"acme"}


@pytest.mark.parametrize(
    "body",
    ["", "x", "[]", "null", {}, {"tenant": None}, {"tenant": ""}, {"tenant": "a#b"}, {"tenant": 5}, {"keys": []},
     {"keys": ["x"]}, {"keys": ["t/acme/x", "t//x"]}, {"keys": ["/t/acme/x"]}, {"of": {"tenant": "acme"}}],
)  # fmt: skip
def test_what_names_no_tenant_is_not_sent(body):
    with pytest.raises(TenantContextError):
        tenants_of_messages(SEND, message(body))


def test_what_sends_nothing_is_nobodys():
    assert tenants_of_messages("ChangeMessageVisibility", {"QueueUrl": "x", "ReceiptHandle": "y"}) == set()


def test_events_say_whose_they_are():
    assert tenants_of_events({"Entries": [{"Detail": '{"tenant": "acme"}'}, {"Detail": '{"tenant": "ab"}'}]}) == {
        "acme", "ab",
    }  # fmt: skip
    with pytest.raises(TenantContextError):
        tenants_of_events({"Entries": [{"DetailType": "x"}]})


def test_what_is_sealed_names_its_tenant_in_its_context():
    assert tenant_of_sealed({"KeyId": "x", "EncryptionContext": {"tenant": "acme", "provider": "y"}}) == "acme"
    for context in ({}, {"provider": "acme"}, {"tenant": "a#b"}):
        with pytest.raises(TenantContextError):
            tenant_of_sealed({"KeyId": "x", "EncryptionContext": context})
    with pytest.raises(TenantContextError):
        tenant_of_sealed({"KeyId": "x"})
