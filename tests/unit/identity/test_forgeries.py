"""Two libraries as a second opinion on every forgery; where one would believe it, the reason why we do not is kept."""

import json
from datetime import UTC, datetime

import pytest

from shared.adapters.jose.key_set import KeySet
from shared.adapters.jose.token_verifier import JoseTokenVerifier
from shared.identity.tokens import InvalidTokenError
from tests.clocks import ManualClock
from tests.unit.identity.forgeries import FORGERIES, GROUPS
from tests.unit.identity.forgery import AUDIENCE, ISSUER
from tests.unit.identity.libraries import PAGE, READERS, believers_of, page_of, workshop_of_now


@pytest.fixture(scope="module")
def shop():
    return workshop_of_now()


@pytest.fixture(scope="module")
def believers(shop):
    return {name: believers_of(forge, shop) for name, forge in FORGERIES.items()}


def test_every_reader_believes_the_genuine_token_and_reads_the_same(shop):
    for read in READERS.values():
        assert read(shop.good.genuine(), shop) == shop.claims


def test_no_name_of_a_forgery_stands_for_two():
    assert len(FORGERIES) == sum(len(group.cases) for group in GROUPS) >= 60


async def test_none_of_them_is_accepted(shop):
    keys = KeySet(lambda: json.dumps({"keys": [shop.jwk]}).encode())
    clock = ManualClock(datetime.fromtimestamp(shop.now_s, UTC))
    verifier = JoseTokenVerifier(keys, issuer=ISSUER, audience=AUDIENCE, clock=clock)
    assert (await verifier.verify(shop.good.genuine())).tenant == "acme"

    accepted = []
    for name, forge in FORGERIES.items():
        try:
            await verifier.verify(forge(shop))
        except InvalidTokenError:
            continue
        accepted.append(name)

    assert accepted == []


def test_page_says_where_the_libraries_believe_what_we_refuse(believers):
    assert PAGE.read_text(encoding="utf-8") == page_of(believers), "run `make docs` and commit the result"
