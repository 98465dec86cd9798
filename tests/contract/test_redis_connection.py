"""How Redis is reached: its scripts decide as the rules do, in a cluster too, over TLS, and signed in by IAM."""

import asyncio
import datetime
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localstack.ports import HOST
from shared.adapters.aws.connect_tokens import ConnectTokens
from shared.adapters.redis import scripts
from shared.adapters.redis.client import Connection, ServerAddress, read_address
from shared.adapters.redis.iam_credentials import IamCredentials, iam_credentials
from shared.adapters.redis.limit_store import RedisLimitStore, arguments_of
from shared.kernel.ids import TenantId
from shared.limits.admission import Demand, judge
from shared.limits.errors import LimitsUnavailableError
from shared.limits.rules import SECOND_US, Bucket, Counts, Window, corrected
from tests.kept_ports import kept_port
from tests.redis_server import RedisServer, running_redis

pytestmark = pytest.mark.real_server

ACME = TenantId("acme")
BUCKET, CALLS = Bucket("write", 5, 10 * SECOND_US), Window("calls", 10, 315_360_000)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running_redis() as started:
        yield started


@pytest.fixture(scope="module")
def client(server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.address, protocol=2) as opened:
        yield opened


periods = st.sampled_from([1, 60, 3600, 86_400])
known_buckets = st.tuples(
    st.builds(Bucket, st.just("b"), st.integers(0, 40), st.integers(1, 20 * SECOND_US)),
    st.integers(-200 * SECOND_US, 200 * SECOND_US),
)
known_windows = st.tuples(
    st.builds(Window, st.just("w"), st.integers(0, 60), periods),
    st.tuples(st.integers(-3, 1), st.integers(0, 80), st.integers(0, 80)),
)
costs = st.integers(0, 30)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(known=st.lists(st.tuples(st.one_of(known_buckets, known_windows), costs), min_size=1, max_size=4))
def test_the_script_decides_as_the_rules_do(client, known):
    """Whatever was known before: the same admission, and the same is known afterwards."""
    client.flushall()
    server_now = _now_us(client)
    demands: list[Demand] = []
    states: list[int | Counts] = []
    for place, ((limit, before), cost) in enumerate(known):
        demands.append(Demand(limit, "", cost))
        if isinstance(limit, Bucket):
            states.append(server_now + before)
            client.set(f"{{x}}{place}", server_now + before)
        else:
            counts = Counts(limit.number_at(server_now) + before[0], before[1], before[2])
            states.append(counts)
            client.hset(f"{{x}}{place}", mapping={"n": counts.number, "u": counts.used, "p": counts.previous})

    fits, now_us, *after = client.eval(
        scripts.ADMIT, len(demands), *[f"{{x}}{place}" for place in range(len(demands))],
        *[argument for demand in demands for argument in arguments_of(demand)],
    )  # fmt: skip

    admission, expected = judge(demands, states, now_us)
    assert (fits == 1) == admission.is_admitted
    for demand, found, state in zip(demands, after, expected, strict=True):
        if isinstance(state, int):
            # Of a bucket that is full it does not matter since when.
            assert max(found, now_us) == max(state, now_us)
        else:
            assert isinstance(demand.limit, Window)
            assert Counts(*found) == demand.limit.current(state, now_us)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(used=st.integers(0, 50), previous=st.integers(0, 50), number=st.integers(0, 9), change=st.integers(-60, 60))
def test_the_script_settles_as_the_rules_do(client, used, previous, number, change):
    client.hset("{x}w", mapping={"n": 7, "u": used, "p": previous})

    client.eval(scripts.SETTLE, 1, "{x}w", number, change)

    known = client.hgetall("{x}w")
    assert Counts(7, int(known[b"u"]), int(known[b"p"])) == corrected(Counts(7, used, previous), number, change)


def test_all_keys_of_a_request_lie_in_one_slot_of_a_cluster():
    with kept_port() as bus, running_redis("--cluster-enabled", "yes", "--cluster-port", str(bus)) as server:
        with redis.Redis.from_url(server.address) as node:
            node.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            deadline = time.monotonic() + 10
            while b"cluster_state:ok" not in node.execute_command("CLUSTER", "INFO") and time.monotonic() < deadline:
                time.sleep(0.05)
        connection = Connection(f"{server.address}/?cluster=true")
        store = RedisLimitStore(connection)

        for tenant in (ACME, TenantId("globex"), TenantId("a}b"), TenantId("{}")):
            admission = asyncio.run(store.admit(tenant, [Demand(BUCKET, "ada"), Demand(BUCKET, "bob"), Demand(CALLS)]))
            assert admission.is_admitted
        for end in (server.freeze, server.stop):
            end()
            for each in (store, RedisLimitStore(Connection(f"{server.address}/?cluster=true"))):
                started = time.monotonic()
                with pytest.raises(LimitsUnavailableError):
                    asyncio.run(each.admit(ACME, [Demand(BUCKET)]))
                assert time.monotonic() - started < 10
        connection.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine's loopback, signed by itself, and its key beside it."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "limits")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem"


def test_tls_is_spoken_and_the_certificate_checked(certificate):
    key = certificate.with_name("key.pem")
    with running_redis(
        "--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-auth-clients", "no", tls=True
    ) as server:
        trusted = RedisLimitStore(Connection(f"rediss://localhost:{server.port}/?ssl_ca_certs={certificate}"))
        unknown = RedisLimitStore(Connection(f"rediss://localhost:{server.port}"))
        other_name = RedisLimitStore(Connection(f"rediss://{HOST}:{server.port}/?ssl_ca_certs={certificate}"))
        plain = RedisLimitStore(Connection(f"redis://localhost:{server.port}"))

        assert asyncio.run(trusted.admit(ACME, [Demand(BUCKET)])).is_admitted
        for refused in (unknown, other_name, plain):
            with pytest.raises(LimitsUnavailableError):
                asyncio.run(refused.admit(ACME, [Demand(BUCKET)]))


def test_a_user_signs_in_with_what_the_credentials_say(server):
    """The way of every connection; that ElastiCache takes the token only ElastiCache can show."""
    with redis.Redis.from_url(server.address) as admin:
        credentials = signed_credentials()
        _, token = credentials.get_credentials()
        admin.acl_setuser("functions", enabled=True, passwords=[f"+{token}"], keys=["*"], commands=["+@all"])
        with redis.Redis(host=HOST, port=server.port, credential_provider=credentials, protocol=2) as client:
            assert client.acl_whoami() == "functions"
        admin.acl_deluser("functions")


def test_token_is_a_signed_request_to_connect_without_its_scheme():
    user, token = signed_credentials().get_credentials()

    address, query = urlsplit(f"https://{token}"), parse_qs(urlsplit(f"https://{token}").query)
    assert user == "functions"
    assert (address.netloc, address.path) == ("tessera-cache", "/")
    assert query["Action"] == ["connect"]
    assert query["User"] == ["functions"]
    assert query["ResourceType"] == ["ServerlessCache"]
    assert query["X-Amz-Credential"][0].endswith("/eu-central-1/elasticache/aws4_request")


@pytest.mark.parametrize(("address", "read"), [
    ("redis://127.0.0.1:6379", ServerAddress("redis://127.0.0.1:6379")),
    ("rediss://cache:6379/?ssl_ca_certs=/ca.pem", ServerAddress("rediss://cache:6379/?ssl_ca_certs=/ca.pem")),
    ("redis://127.0.0.1:6379/?cluster=true", ServerAddress("redis://127.0.0.1:6379/", is_cluster=True)),
    ("rediss://functions@cache.example:6379/?iam=tessera-cache",
     ServerAddress("rediss://cache.example:6379/", is_cluster=True, iam_user="functions", iam_cache="tessera-cache")),
])  # fmt: skip
def test_address_says_how_the_server_wants_to_be_spoken_to(address, read):
    assert read_address(address) == read


def signed_credentials() -> IamCredentials:
    keys = Credentials("AKIDEXAMPLE", "secret", "session")
    made = partial(ConnectTokens, region="eu-central-1", credentials=keys)
    return iam_credentials("functions", "tessera-cache", made)


def _now_us(client: redis.Redis) -> int:
    seconds, microseconds = client.time()
    return seconds * SECOND_US + microseconds
