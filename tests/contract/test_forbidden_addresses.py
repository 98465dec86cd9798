"""No address that a user names leads inside: real sockets, a real server of names, and nobody is ever connected to.

Every attempt to connect, by whatever code of this process, is seen by an audit hook; a server on loopback counts those
that arrive. Without the guard both see them: that is tested too.
"""

import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from shared.adapters.http.destinations import IpAddress, public_only
from shared.adapters.http.guarded_fetcher import (
    DestinationRefusedError,
    FetchFailedError,
    GuardedFetcher,
    Target,
)
from shared.adapters.http.web_addresses import WebAddresses
from shared.adapters.http.web_pages import GuardedWebPages
from shared.kernel.ids import TenantId
from shared.knowledge.web_pages import PageRefusedError, PageUnavailableError, UrlReason
from tests.addresses import FORBIDDEN, REDIRECTS, RESOLVING
from tests.contract.name_server import NameServer, resolver_at
from tests.web_server import Site, answer

ACME = TenantId("acme")
RULES = WebAddresses()
OUTSIDE = ip_address("127.0.0.2")
"""Stands for the internet: a second address of this machine that these tests, and nothing else, take for public."""
connects: list[tuple[Any, ...]] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        connects.append(arguments[1])


sys.addaudithook(_note)


@pytest.fixture(autouse=True)
def _forget() -> None:
    connects.clear()


@pytest.fixture(scope="module")
def inside() -> Iterator[Site]:
    """What must not be reached."""
    site = Site()
    site.pages["/"] = answer(b"secret")
    yield site
    site.stop()


@pytest.fixture(scope="module")
def outside(inside: Site) -> Iterator[Site]:
    """A site of the internet, on the same port as what must not be reached."""
    site = Site(str(OUTSIDE), inside.port)
    yield site
    site.stop()


def no_names(host: str, port: int) -> list[IpAddress]:
    """Resolve as the system does, but only what it takes for a number: no question leaves this machine."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [ip_address(str(address[0]).partition("%")[0]) for *_, address in found]


def names_of_tests(host: str, port: int) -> list[IpAddress]:
    known = {"outside.example": OUTSIDE, "inside.example": ip_address("127.0.0.1")}
    return [known[host]] if host in known else no_names(host, port)


def admit(target: Target) -> None:
    """The rules of production; but the site that stands for the internet has another port, and no certificate."""
    RULES.admit(replace(target, scheme="https", port=443) if target.host.endswith(".example") else target)


def destinations(scheme: str, address: IpAddress) -> bool:
    return address == OUTSIDE or RULES.destinations(scheme, address)


def pages_with(resolve: Any) -> GuardedWebPages:
    return GuardedWebPages(GuardedFetcher(destinations, timeout_s=10, resolve=resolve, admit=admit), "")


def test_corpus_is_as_large_as_asked_for():
    assert len(FORBIDDEN) >= 60
    assert len(set(FORBIDDEN)) == len(FORBIDDEN)


@pytest.mark.parametrize("url", FORBIDDEN)
async def test_address_is_refused_before_its_name_is_looked_up(url):
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[IpAddress]:
        asked.append(host)
        return no_names(host, port)

    fetcher = GuardedFetcher(RULES.destinations, resolve=resolve, admit=RULES.admit)

    with pytest.raises(PageRefusedError) as refused:
        await GuardedWebPages(fetcher, "").fetch(ACME, url, 1000)

    assert refused.value.reason is UrlReason.FORBIDDEN
    assert (asked, connects) == ([], [])


@pytest.mark.parametrize("url", FORBIDDEN)
def test_what_an_address_resolves_to_is_a_second_wall(url):
    """Also for whoever judges destinations alone, such as identity providers: the system's resolver reads numbers."""
    with pytest.raises(FetchFailedError):
        GuardedFetcher(public_only, resolve=no_names).get(url)

    assert connects == []


@pytest.mark.parametrize("addresses", RESOLVING.values(), ids=RESOLVING)
def test_name_that_resolves_inside_is_refused(inside, addresses):
    before = inside.connections
    found = [ip_address(address) for address in addresses]

    for port, rules in ((443, RULES.admit), (inside.port, lambda _target: None)):
        with pytest.raises(DestinationRefusedError):
            GuardedFetcher(RULES.destinations, resolve=lambda *_: found, admit=rules).get(f"https://a.example:{port}/")

    assert (inside.connections - before, connects) == (0, [])


@pytest.mark.parametrize("url", [*REDIRECTS, *FORBIDDEN])
async def test_redirect_that_leads_inside_is_not_followed(inside, outside, url):
    before = inside.connections
    location = url.replace("{port}", str(inside.port))
    outside.pages["/"] = b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: " + location.encode() + b"\r\n\r\n"

    with pytest.raises((PageRefusedError, PageUnavailableError)) as refused:
        await pages_with(names_of_tests).fetch(ACME, f"http://outside.example:{outside.port}/", 1000)

    if url in REDIRECTS:
        assert getattr(refused.value, "reason", None) is UrlReason.FORBIDDEN
    assert inside.connections == before
    assert set(connects) == {(str(OUTSIDE), outside.port)}


async def test_robots_txt_that_leads_inside_is_not_followed(inside, outside):
    before = inside.connections
    outside.pages["/robots.txt"] = answer(b"", "302 Found", f"location: http://127.0.0.1:{inside.port}/")
    try:
        with pytest.raises(PageRefusedError) as refused:
            await pages_with(names_of_tests).fetch(ACME, f"http://outside.example:{outside.port}/", 1000)
    finally:
        del outside.pages["/robots.txt"]

    assert refused.value.reason is UrlReason.FORBIDDEN
    assert inside.connections == before


@pytest.fixture
def serving_names() -> Iterator[Any]:
    started: list[NameServer] = []

    def serve(*answers: list[str]) -> NameServer:
        started.append(NameServer(*answers))
        return started[-1]

    yield serve
    for server in started:
        server.stop()


@pytest.mark.parametrize(
    ("answers", "reached"),
    [
        # robots.txt is asked for first, then the page: each is looked up once, judged, and pinned
        ([["127.0.0.2"], ["127.0.0.2"], ["127.0.0.1"]], True),
        ([["127.0.0.2"], ["127.0.0.1"]], False),
        ([["127.0.0.1"]], False),
        ([["127.0.0.2", "127.0.0.1"]], False),
        ([["127.0.0.2"], ["127.0.0.2", "169.254.169.254"]], False),
        ([["127.0.0.2"], ["10.0.0.1"]], False),
        ([["127.0.0.2"], ["0.0.0.0"]], False),  # noqa: S104 (nothing is bound to it)
        ([["127.0.0.2"], []], False),
    ],
    ids=["after the last look", "between the looks", "always", "both", "metadata added", "private", "zero", "nothing"],
)
async def test_name_that_resolves_differently_a_moment_later_leads_nowhere_else(
    inside, outside, serving_names, answers, reached
):
    before = inside.connections
    outside.pages["/"] = answer(b"public")
    names = serving_names(*answers)
    fetching = pages_with(resolver_at(names.address)).fetch(ACME, f"http://rebinding.example:{outside.port}/", 1000)

    if reached:
        assert await fetching == b"public"
        assert names.questions == 2
    else:
        with pytest.raises(PageRefusedError):
            await fetching

    assert inside.connections == before
    assert ("127.0.0.1", inside.port) not in connects


async def test_name_that_changes_all_the_time_never_leads_inside(inside, outside, serving_names):
    before = inside.connections
    outside.pages["/"] = answer(b"public")
    names = serving_names(*[["127.0.0.2"], ["127.0.0.2"], ["127.0.0.1"]] * 40)

    ends: set[object] = set()
    for _ in range(50):
        try:
            ends.add(
                await pages_with(resolver_at(names.address)).fetch(
                    ACME, f"http://rebinding.example:{outside.port}/", 1000
                )
            )
        except PageRefusedError as error:
            ends.add(error.reason)

    assert ends == {b"public", UrlReason.FORBIDDEN}
    assert inside.connections == before


def test_without_the_guard_all_of_this_would_be_seen(inside):
    before = inside.connections
    unguarded = GuardedFetcher(lambda *_: True, resolve=names_of_tests)

    for url in REDIRECTS:
        if url.startswith("http:") and "@" not in url and "[" not in url and "localhost" not in url:
            assert unguarded.get(url.format(port=inside.port)).body == b"secret"

    assert inside.connections - before == len(connects) >= 6
