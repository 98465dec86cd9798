"""Requests to addresses that others choose: pinned, judged, bounded, and never led on. Real sockets, real TLS."""

import socket
import ssl
import threading
import time
import traceback
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from shared.adapters.http.destinations import public_only, public_or_loopback
from shared.adapters.http.guarded_fetcher import (
    AnswerTooLargeError,
    DestinationRefusedError,
    FetchFailedError,
    GuardedFetcher,
    read_target,
    resolve,
)
from tests.web_server import Serve, Server, answer

HOST = "sign-in.acme.example"


@pytest.fixture
def serving() -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def serve(answer: Serve | bytes, tls: ssl.SSLContext | None = None) -> Server:
        content = answer
        started.append(Server((lambda peer: peer.sendall(content)) if isinstance(content, bytes) else content, tls))
        return started[-1]

    yield serve
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """Return a server's context for `HOST` and the file of the certificate to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "certificate.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context, folder / "certificate.pem"


LOCAL = GuardedFetcher(public_or_loopback, timeout_s=10, max_bytes=1000)


def test_answer_comes_back_with_status_headers_and_body(serving):
    server = serving(answer(b"hello", "404 Not Found", "X-Kind: test"))

    found = LOCAL.get(f"http://127.0.0.1:{server.port}/a/b?c=d", {"accept": "text/plain"})

    assert (found.status, found.headers["x-kind"], found.body) == (404, "test", b"hello")
    request = server.requests[0].decode().lower()
    assert request.startswith("get /a/b?c=d http/1.1\r\n")
    assert f"host: 127.0.0.1:{server.port}\r\n" in request
    assert "accept: text/plain\r\n" in request


def test_body_is_posted(serving):
    server = serving(answer(b"ok"))

    LOCAL.post(f"http://127.0.0.1:{server.port}/", b"a=b", {"content-type": "application/x-www-form-urlencoded"})

    assert server.requests[0].startswith(b"POST / HTTP/1.1\r\n")
    assert server.requests[0].endswith(b"\r\n\r\na=b")


def test_redirect_is_an_answer_and_nothing_more(serving):
    other = serving(answer(b"secret"))
    server = serving(answer(b"", "302 Found", f"location: http://127.0.0.1:{other.port}/"))

    found = LOCAL.get(f"http://127.0.0.1:{server.port}/")

    assert found.status == 302
    assert other.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/",
        "https://localhost:{port}/",
        "https://2130706433:{port}/",
        "https://0x7f000001:{port}/",
        "https://127.1:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://[::1]:{port}/",
        "http://127.0.0.1:{port}/",
    ],
)
def test_nothing_of_this_machine_is_reached_where_only_the_public_internet_may_be(serving, url):
    server = serving(answer(b"secret"))

    with pytest.raises((DestinationRefusedError, FetchFailedError)):
        GuardedFetcher(public_only).get(url.format(port=server.port))

    assert server.connections == 0


def test_name_with_one_private_address_is_refused_though_its_others_are_public():
    mixed = [ip_address("93.184.216.34"), ip_address("169.254.169.254")]

    with pytest.raises(DestinationRefusedError):
        GuardedFetcher(public_only, resolve=lambda *_: mixed).get("https://rebinding.example/")


def test_name_is_resolved_once_so_a_second_answer_leads_nowhere(serving):
    server = serving(answer(b"ok"))
    answers: list[Any] = [[ip_address("127.0.0.1")], [ip_address("10.0.0.1")]]

    found = GuardedFetcher(public_or_loopback, resolve=lambda *_: answers.pop(0)).get(
        f"http://rebinding.example:{server.port}/"
    )

    assert (found.status, len(answers)) == (200, 1)
    assert f"Host: rebinding.example:{server.port}".lower().encode() in server.requests[0].lower()


def test_next_address_is_tried_when_one_does_not_answer(serving):
    server = serving(answer(b"ok"))
    both = [ip_address("127.0.0.2"), ip_address("127.0.0.1")]

    assert GuardedFetcher(public_or_loopback, resolve=lambda *_: both).get(f"http://two.example:{server.port}/").body


def test_tls_speaks_of_the_name_though_the_address_is_pinned(serving, certificate):
    context, trusted = certificate
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    server = serving(answer(b"private"), context)
    fetcher = GuardedFetcher(
        public_or_loopback,
        resolve=lambda *_: [ip_address("127.0.0.1")],
        make_tls=lambda: ssl.create_default_context(cafile=str(trusted)),
    )

    found = fetcher.get(f"https://{HOST}:{server.port}/")

    assert (found.body, names) == (b"private", [HOST])
    with pytest.raises(FetchFailedError, match="certificate"):
        fetcher.get(f"https://other.example:{server.port}/")


def test_certificate_that_nobody_trusts_is_refused(serving, certificate):
    server = serving(answer(b"private"), certificate[0])

    with pytest.raises(FetchFailedError, match="certificate"):
        GuardedFetcher(public_or_loopback, resolve=lambda *_: [ip_address("127.0.0.1")]).get(
            f"https://{HOST}:{server.port}/"
        )


@pytest.mark.parametrize(
    "content",
    [
        answer(b"x" * 1001),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n",
    ],
    ids=["announced", "without length", "chunked"],
)
def test_more_than_was_allowed_is_refused(serving, content):
    server = serving(content)

    with pytest.raises(FetchFailedError, match="larger than 1000 bytes"):
        LOCAL.get(f"http://127.0.0.1:{server.port}/")


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",
        answer(b"\x1f\x8b", "200 OK", "content-encoding: gzip"),
        answer(b"\x1f\x8b", "200 OK", "content-encoding: identity", "content-encoding: gzip"),
        CHUNKED.replace(b"chunked", b"gzip, chunked") + b"2\r\n\x1f\x8b\r\n0\r\n\r\n",
        CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nhello\r\n",
    ],
    ids=[
        "nothing", "no HTTP", "cut off", "too many headers", "compressed", "compressed in a second line",
        "compressed chunks", "a chunk of less than nothing", "no last chunk",
    ],
)  # fmt: skip
def test_what_is_no_proper_answer_is_refused(serving, content):
    server = serving(content)

    with pytest.raises(FetchFailedError) as failed:
        LOCAL.get(f"http://127.0.0.1:{server.port}/")

    assert not isinstance(failed.value, AnswerTooLargeError)


def test_what_a_server_sent_stands_in_no_traceback(serving):
    """Tracebacks are logged, and what stands at an address is content."""
    server = serving(b"salaries of everybody\r\n\r\n")

    with pytest.raises(FetchFailedError) as failed:
        LOCAL.get(f"http://127.0.0.1:{server.port}/")

    assert "salaries" not in "".join(traceback.format_exception(failed.value))


def test_tiny_chunks_take_no_more_memory_than_their_content(serving):
    size = 256 * 1024
    server = serving(CHUNKED + b"2\r\nab\r\n" * (size // 2) + b"0\r\n\r\n")
    fetcher = GuardedFetcher(public_or_loopback, timeout_s=60, max_bytes=size)

    tracemalloc.start()
    try:
        found = fetcher.get(f"http://127.0.0.1:{server.port}/")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found.body == b"ab" * (size // 2)
    assert most < 4 * size


def test_chunk_without_end_is_not_kept(serving):
    server = serving(CHUNKED + b"-1\r\n" + b"x" * 4_000_000)

    tracemalloc.start()
    try:
        with pytest.raises(FetchFailedError):
            LOCAL.get(f"http://127.0.0.1:{server.port}/")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 1_000_000


def test_what_comes_before_an_answer_is_read_past(serving):
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n"
    server = serving(early + b"HTTP/1.1 100 Continue\r\n\r\n" + early + answer(b"hello"))

    found = LOCAL.get(f"http://127.0.0.1:{server.port}/")

    assert (found.status, dict(found.headers), found.body) == (200, {"content-length": "5"}, b"hello")


def test_server_that_never_comes_to_its_answer_is_left_at_the_deadline(serving):
    def promise(peer: socket.socket) -> None:
        while True:
            peer.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)

    server = serving(promise)

    with pytest.raises(FetchFailedError, match=r"within 0\.2 seconds"):
        GuardedFetcher(public_or_loopback, timeout_s=0.2).get(f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize("status", ["302 Found", "404 Not Found", "503 Unavailable"])
@pytest.mark.parametrize(
    ("body", "headers"),
    [(b"x" * 200_000, []), (b"\x1f\x8b", ["content-encoding: gzip"])],
    ids=["large", "compressed"],
)
def test_status_counts_whatever_explains_it(serving, status, body, headers):
    server = serving(answer(body, status, "location: /there", *headers))

    found = LOCAL.get(f"http://127.0.0.1:{server.port}/")

    assert (found.status, found.headers["location"]) == (int(status[:3]), "/there")
    assert len(found.body) <= LOCAL.max_bytes


def test_redirect_is_not_waited_for_to_its_end(serving):
    left = threading.Event()

    def stall(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 302 Found\r\nlocation: /there\r\ncontent-length: 5\r\n\r\n")
        left.wait()

    server = serving(stall)
    try:
        found = LOCAL.get(f"http://127.0.0.1:{server.port}/")
    finally:
        left.set()

    assert (found.status, found.headers["location"]) == (302, "/there")


def test_proxies_of_the_environment_are_not_used(serving, monkeypatch):
    proxy, server = serving(answer(b"from the proxy")), serving(answer(b"from the server"))
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    assert LOCAL.get(f"http://127.0.0.1:{server.port}/").body == b"from the server"
    assert proxy.connections == 0


@pytest.mark.parametrize("opening", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n"])
def test_server_that_drips_is_left_at_the_deadline(serving, opening):
    def drip(peer: socket.socket) -> None:
        peer.sendall(opening)
        for _ in range(400):
            time.sleep(0.05)
            peer.sendall(b"a")

    server = serving(drip)
    started = time.monotonic()

    with pytest.raises(FetchFailedError, match=r"within 0\.2 seconds"):
        GuardedFetcher(public_or_loopback, timeout_s=0.2).get(f"http://127.0.0.1:{server.port}/")

    assert time.monotonic() - started < 10


def test_port_where_nobody_listens_is_a_failure_that_names_no_address():
    with pytest.raises(FetchFailedError) as failed:
        LOCAL.get("http://127.0.0.1:1/")

    assert "127.0.0.1" not in str(failed.value)


@pytest.mark.parametrize(
    "url",
    [
        "", "sign-in.example", "//sign-in.example/", "ftp://sign-in.example/", "file:///etc/passwd", "https://",
        "https:///path", "https://user@sign-in.example/", "https://user:word@sign-in.example/",
        "https://sign-in.example/#part", "https://sign-in.example:99999/", "https://sign-in.example:x/",
        "https://sign-in.example/a b", "https://sign-in.example/\r\nx: y", "https://sign-in.ëxample/",
        "https://sign-in.example\\@127.0.0.1/", "https://[::1/", "gopher://127.0.0.1/", "https://" + "a" * 2050,
    ],
)  # fmt: skip
def test_address_that_is_not_plain_is_refused(url):
    with pytest.raises(DestinationRefusedError):
        read_target(url)


def test_names_of_this_machine_resolve_to_loopback():
    assert all(address.is_loopback for address in resolve("localhost", 80))
