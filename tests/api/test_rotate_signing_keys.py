"""rotate_signing_keys: keys come and go, tokens go on being verified, whatever dies halfway."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import boto3
import jwt
import pytest

from shared.adapters.aws.sdk_sessions import for_threads
from shared.adapters.dynamodb.signing_keys import DynamoPublishedKeys, key_set_source
from shared.adapters.jose.key_set import KeySet
from shared.adapters.jose.token_signer import JoseTokenSigner, RsaKeyMaker
from shared.adapters.jose.token_verifier import JoseTokenVerifier
from shared.adapters.secretsmanager.signing_key_ring import SecretKeySafe
from shared.composition.entry import build_handler
from shared.composition.settings import Settings
from shared.identity.access_tokens import AccessTokens
from shared.identity.key_rotation import KeyRotation, Rotation
from shared.identity.permissions import Role
from shared.identity.signing_keys import CHANGE_TAKES, NoSigningKeyError, SigningKeysUnavailableError
from shared.identity.tokens import InvalidTokenError
from shared.kernel.ids import SessionId, TenantId, UserId
from shared.operations.capabilities import IDENTITY, SIGNING_KEYS
from shared.operations.registry import load_operation
from tests.clocks import ManualClock
from tests.ingestion.cloud import make_table
from tests.signing import AUDIENCE, ISSUER

EVENTS = Path(__file__).resolve().parents[2] / "events"
NOTHING = Rotation()


class SteadyClock(ManualClock):
    """Goes on alike for who asks the time and who measures it."""

    def monotonic(self) -> float:
        return self.at.timestamp()


class DiedError(Exception):
    """The process ended here."""


class Ring:
    """The keys of one deployment on the emulator, and everybody who works with them, under one clock."""

    def __init__(self, dynamodb, secrets, table, secret) -> None:
        self.clock = SteadyClock()
        self.dynamodb, self.table = dynamodb, table
        self.published = DynamoPublishedKeys(dynamodb, table)
        self.safe = SecretKeySafe(secrets, secret)

    def rotation(self, published=None, safe=None) -> KeyRotation:
        return KeyRotation(published or self.published, safe or self.safe, RsaKeyMaker(), self.clock)

    async def rotate(self) -> Rotation:
        return await self.rotation().rotate()

    def issuer(self) -> AccessTokens:
        """Return a process that signs, with a memory of its own."""
        return AccessTokens(self.published, self.safe, JoseTokenSigner(), self.clock, issuer=ISSUER, audience=AUDIENCE)

    def verifier(self) -> JoseTokenVerifier:
        """Return a process that verifies, with a memory of its own."""
        keys = KeySet(key_set_source(self.dynamodb, self.table), self.clock.monotonic)
        return JoseTokenVerifier(keys, issuer=ISSUER, audience=AUDIENCE, clock=self.clock)

    async def key_ids(self) -> list[str]:
        return [key.key_id for key in (await self.published.ring()).keys]


class Outsider:
    """Somebody else's service, which looks at the published keys every ten minutes and never in between."""

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.looked_at: datetime | None = None
        self.known: list[str] = []

    async def look(self) -> None:
        now = self.ring.clock.at
        if self.looked_at is None or now - self.looked_at >= timedelta(minutes=10):
            self.looked_at, self.known = now, await self.ring.key_ids()

    def check(self, token: str) -> None:
        assert jwt.get_unverified_header(token)["kid"] in self.known


@pytest.fixture(scope="module")
def secrets(cloud):
    return for_threads(boto3.client("secretsmanager"))


@pytest.fixture
def ring(cloud, secrets):
    """A deployment without a key yet."""
    name = f"{cloud.address_of(IDENTITY)}-{uuid4().hex[:8]}"
    make_table(cloud.dynamodb, IDENTITY, name)
    secret = secrets.create_secret(Name=name, SecretString="{}")["ARN"]
    yield Ring(cloud.dynamodb, secrets, name, secret)
    cloud.dynamodb.delete_table(TableName=name)


async def issue(tokens: AccessTokens) -> str:
    issued = await tokens.issue(TenantId("acme"), UserId("ada@acme"), Role.VIEWER, SessionId("ses_" + "0" * 26))
    return issued.token


async def test_first_key_signs_at_once_and_everybody_who_asked_too_early_finds_it(ring):
    tokens, verifier = ring.issuer(), ring.verifier()
    with pytest.raises(NoSigningKeyError):
        await issue(tokens)

    assert await ring.rotate() == Rotation(made=1)

    ring.clock.at += timedelta(seconds=5)
    assert (await verifier.verify(await issue(tokens))).tenant == "acme"


async def test_nothing_is_done_before_anything_is_due(ring):
    await ring.rotate()
    before = await ring.published.ring()
    for days in (0.1, 10, 29):
        ring.clock.at += timedelta(days=days) - timedelta(days=days) / 2

        assert await ring.rotate() == NOTHING

    assert await ring.published.ring() == before


async def test_no_token_is_ever_refused_through_several_rotations(ring):
    """Processes that sign and verify, each with a memory of its own, over a hundred days of five-minute runs."""
    await ring.rotate()
    signing = [ring.issuer() for _ in range(3)]
    verifying = [ring.verifier() for _ in range(3)]
    outsiders = [Outsider(ring), Outsider(ring)]
    begun = ring.clock.at
    held: list[tuple[datetime, str]] = []
    seen: set[str] = set()
    steps = 0
    while ring.clock.at - begun < timedelta(days=100):
        quiet = timedelta(days=30) - timedelta(hours=1) - (ring.clock.at - begun) % timedelta(days=30)
        # A day at a time until an hour before a change, then each run of the schedule until it is all over.
        is_quiet = timedelta() < quiet < timedelta(days=30) - timedelta(hours=4)
        ring.clock.at += min(quiet, timedelta(hours=23)) if is_quiet else timedelta(minutes=5)
        # They look in turn, and just before the run: what it changes one of them sees ten minutes later.
        for outsider in outsiders[: steps + 1]:
            await outsider.look()
        await ring.rotate()
        seen |= set(await ring.key_ids())
        token = await issue(signing[steps % 3])
        held = [(until, known) for until, known in held if until > ring.clock.at]
        held.append((ring.clock.at + timedelta(minutes=59), token))
        # The newest at its own moment, the oldest at its last: by somebody who may have looked ten minutes ago.
        await verifying[steps % 3].verify(token)
        await verifying[(steps + 1) % 3].verify(held[0][1])
        for outsider in outsiders[: steps + 1]:
            outsider.check(token)
            outsider.check(held[0][1])
        steps += 1

    assert len(seen) == 4
    assert len(await ring.key_ids()) == 1
    assert steps > 100


async def test_finished_key_is_removed_from_both_places(ring):
    await ring.rotate()
    ((first,), private) = await ring.key_ids(), await ring.safe.private_keys()
    assert set(private) == {first}
    ring.clock.at += timedelta(days=30)
    assert await ring.rotate() == Rotation(made=1)
    assert len(await ring.key_ids()) == 2

    ring.clock.at += timedelta(minutes=20 + 75)
    assert await ring.rotate() == Rotation(removed=1)

    assert first not in await ring.key_ids()
    assert set(await ring.safe.private_keys()) == set(await ring.key_ids())


async def test_emptied_secret_withdraws_every_key_and_its_tokens(ring):
    await ring.rotate()
    verifier = ring.verifier()
    token = await issue(ring.issuer())
    await verifier.verify(token)
    await ring.safe.replace({})
    ring.clock.at += timedelta(minutes=2)

    assert await ring.rotate() == Rotation(made=1, removed=1)

    renewed = await issue(ring.issuer())
    await verifier.verify(renewed)
    with pytest.raises(InvalidTokenError):
        await verifier.verify(token)


async def test_of_many_runs_at_once_one_acts(ring):
    results = await asyncio.gather(*(ring.rotate() for _ in range(8)))

    assert sorted(result.made for result in results) == [0] * 7 + [1]
    assert set(await ring.safe.private_keys()) == set(await ring.key_ids())
    assert len(await ring.key_ids()) == 1
    await ring.verifier().verify(await issue(ring.issuer()))


def dying(part, method: str, *, after: bool):
    """Return `part` in a process that ends just before or just after `method` had its effect."""

    async def die(*arguments):
        if after:
            await getattr(part, method)(*arguments)
        raise DiedError

    names = {
        name: getattr(part, name) for name in ("ring", "publish", "private_keys", "replace") if hasattr(part, name)
    }
    return SimpleNamespace(**{**names, method: die})


DEATHS: dict[str, Callable[[Ring], KeyRotation]] = {
    "before publishing": lambda ring: ring.rotation(published=dying(ring.published, "publish", after=False)),
    "after publishing": lambda ring: ring.rotation(published=dying(ring.published, "publish", after=True)),
    "before storing": lambda ring: ring.rotation(safe=dying(ring.safe, "replace", after=False)),
    "after storing": lambda ring: ring.rotation(safe=dying(ring.safe, "replace", after=True)),
}


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize("moment", ["first key", "next key", "removal"])
async def test_run_that_dies_halfway_never_lets_an_unpublished_key_sign(ring, death, moment):
    if moment != "first key":
        await ring.rotate()
        ring.clock.at += timedelta(days=30)
    if moment == "removal":
        await ring.rotate()
        ring.clock.at += timedelta(hours=2)
    signing, verifying = ring.issuer(), ring.verifier()
    if moment != "first key":
        await verifying.verify(await issue(signing))

    with pytest.raises(DiedError):
        await DEATHS[death](ring).rotate()

    for _ in range(24):
        # Whoever signs at this moment, old process or new, uses a key that everybody can look up.
        for tokens in (signing, ring.issuer()):
            try:
                token = await issue(tokens)
            except NoSigningKeyError:
                assert moment == "first key"
                continue
            await verifying.verify(token)
            await ring.verifier().verify(token)
        ring.clock.at += timedelta(minutes=5)
        await ring.rotate()
    assert set(await ring.safe.private_keys()) == set(await ring.key_ids())
    assert len(await ring.key_ids()) == 1
    await verifying.verify(await issue(signing))


async def test_another_run_waits_while_a_change_may_be_under_way(ring):
    with pytest.raises(DiedError):
        await DEATHS["after publishing"](ring).rotate()

    ring.clock.at += CHANGE_TAKES - timedelta(seconds=1)
    assert await ring.rotate() == NOTHING
    ring.clock.at += timedelta(seconds=1)
    assert await ring.rotate() == Rotation(made=1, removed=1)


async def test_who_signs_goes_on_for_a_quarter_of_an_hour_while_the_secret_is_out_of_reach(ring, secrets):
    await ring.rotate()
    tokens = ring.issuer()
    await issue(tokens)
    tokens._safe = SecretKeySafe(secrets, "no-such-secret")

    ring.clock.at += timedelta(minutes=14)
    await ring.verifier().verify(await issue(tokens))
    ring.clock.at += timedelta(minutes=2)
    with pytest.raises(SigningKeysUnavailableError):
        await issue(tokens)


@pytest.mark.parametrize("content", ["", "[]", '{"keys": 5}', "not JSON", "{}"])
async def test_secret_that_holds_anything_else_holds_no_key(ring, secrets, content):
    secrets.put_secret_value(SecretId=ring.safe._secret, SecretString=content or " ")

    assert await ring.safe.private_keys() == {}
    assert await ring.rotate() == Rotation(made=1)


def test_schedule_runs_as_it_is_declared(cloud, issuer, ring):
    settings = Settings({**cloud.variables, IDENTITY.variable: ring.table, SIGNING_KEYS.variable: ring.safe._secret})
    run = build_handler(load_operation("identity", "rotate_signing_keys"), settings)
    event = json.loads((EVENTS / "schedule" / "every_minute.json").read_text())

    assert [run(event, None), run(event, None)] == [{"made": 1, "removed": 0}, {"made": 0, "removed": 0}]
