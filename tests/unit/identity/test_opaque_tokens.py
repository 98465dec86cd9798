import pytest

from shared.identity.opaque_tokens import new_opaque_token, read_opaque_token
from shared.kernel.ids import TenantId

RECORD = "inv_" + "0" * 26


@pytest.fixture
def token():
    return new_opaque_token("tin", TenantId("tn-1"), RECORD)


def test_token_leads_back_to_its_record(token):
    assert read_opaque_token("tin", str(token)) == token
    assert (token.tenant, token.record) == ("tn-1", "0" * 26)


def test_no_two_secrets_are_the_same(token):
    other = new_opaque_token("tin", TenantId("tn-1"), RECORD)

    assert other.secret != token.secret
    assert not other.matches(token.secret_hash)
    assert token.matches(token.secret_hash)


def test_secret_stays_out_of_logs(token):
    assert token.secret not in repr(token)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text + "\n",
        lambda text: text + "A",
        lambda text: text[:-1],
        lambda text: text.replace("tin_", "tsk_"),
        lambda text: text.replace("tin_", ""),
        lambda text: text.replace("tn-1", "TN-1"),
        lambda text: text.replace("tn-1", "tn#1"),
        lambda text: text.replace("tn-1", ""),
        lambda text: text.replace("0.", "0/."),
        lambda text: text.replace(".", "..", 1),
        lambda text: " " + text,
        lambda text: text[:-1] + "é",
    ],
)
def test_other_forms_are_nothing(token, change):
    assert read_opaque_token("tin", change(str(token))) is None
