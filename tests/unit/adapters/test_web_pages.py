"""Pages of the web: redirects, robots, and what each failure means. Real sockets on loopback."""

from collections.abc import Iterator

import pytest

from shared.adapters.http import robots_memory
from shared.adapters.http.following import RedirectFollower, TooManyRedirectsError
from shared.adapters.http.guarded_fetcher import FetchFailedError, GuardedFetcher
from shared.adapters.http.robots_rules import MAX_BYTES
from shared.adapters.http.web_addresses import WebAddresses
from shared.adapters.http.web_pages import GuardedWebPages
from shared.kernel.ids import TenantId
from shared.knowledge.web_pages import PageRefusedError, PageUnavailableError, UrlReason
from tests.ambient import looking_on
from tests.web_server import Site, answer

RULES = WebAddresses(reaches_loopback=True)
FETCHER = GuardedFetcher(RULES.destinations, timeout_s=10, admit=RULES.admit)
CONTACT = "https://acme.example/robots"
ACME, GLOBEX = TenantId("acme"), TenantId("globex")


@pytest.fixture
def site() -> Iterator[Site]:
    started = Site()
    yield started
    started.stop()


@pytest.fixture
def pages() -> GuardedWebPages:
    return GuardedWebPages(FETCHER, CONTACT)


@pytest.fixture(autouse=True)
def _looking_on() -> Iterator[None]:
    with looking_on():
        yield


def redirect(location: str, status: str = "302 Found") -> bytes:
    return answer(b"elsewhere", status, f"location: {location}")


def put_page(site: Site) -> str:
    site.pages["/a"] = answer(b"a")
    return site.url("/a")


async def refusal_of(pages, url, max_bytes=1000):
    with pytest.raises(PageRefusedError) as refused:
        await pages.fetch(ACME, url, max_bytes)
    return refused.value.reason


async def test_page_comes_back_and_the_site_learns_who_asked_and_whom_to_tell(site, pages):
    site.pages["/a?b=c"] = answer(b"hello")

    assert await pages.fetch(ACME, site.url("/a?b=c"), 1000) == b"hello"

    assert site.paths == ["/robots.txt", "/a?b=c"]
    assert all(b"user-agent: Tessera (+" + CONTACT.encode() + b")\r\n" in request for request in site.requests)


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)  # fmt: skip
async def test_redirect_is_followed(site, pages, status):
    site.pages["/a"] = redirect("b/c#part", status)
    site.pages["/b/c"] = answer(b"there")

    assert await pages.fetch(ACME, site.url("/a"), 1000) == b"there"


async def test_redirects_end_somewhere(site, pages):
    site.pages["/a"] = redirect("/a")

    assert await refusal_of(pages, site.url("/a")) is UrlReason.TOO_MANY_REDIRECTS
    assert site.paths.count("/a") == 6


def test_caller_says_how_many_redirects_are_followed(site):
    site.pages["/a"] = redirect("/b")
    site.pages["/b"] = redirect("/c")
    site.pages["/c"] = answer(b"there")

    assert RedirectFollower(FETCHER, 2).get(site.url("/a")).body == b"there"
    with pytest.raises(TooManyRedirectsError):
        RedirectFollower(FETCHER, 1).get(site.url("/a"))
    assert FETCHER.get(site.url("/a")).status == 302


def test_what_was_meant_for_one_site_is_not_told_to_the_next(site):
    other = Site()
    said = {"Authorization": "Bearer x", "x-api-key": "y", "User-Agent": "Tessera"}
    try:
        site.pages["/a"] = redirect("/b")
        site.pages["/b"] = redirect(other.url("/c"))
        other.pages["/c"] = redirect(site.url("/d"))
        site.pages["/d"] = answer(b"there")

        assert RedirectFollower(FETCHER, 5).get(site.url("/a"), said).body == b"there"

        told = [b"bearer" in request.lower() or b"x-api-key" in request.lower() for request in site.requests]
        assert told == [True, True, False]
        assert b"bearer" not in other.requests[0].lower()
        assert b"x-api-key" not in other.requests[0].lower()
        assert b"user-agent: tessera" in other.requests[0].lower()
    finally:
        other.stop()


async def test_redirect_may_be_written_as_it_is_read(site, pages):
    site.pages["/a"] = redirect("/stra\u00dfe?x=\u00e4")
    site.pages["/stra%C3%9Fe?x=%C3%A4"] = answer(b"there")

    assert await pages.fetch(ACME, site.url("/a"), 1000) == b"there"


async def test_cookies_are_not_kept_and_pages_do_not_lead_on_by_themselves(site, pages):
    site.pages["/a"] = answer(b"a", "200 OK", "set-cookie: a=b", "refresh: 0; url=/b", "link: </b>; rel=canonical")

    for _ in range(2):
        assert await pages.fetch(ACME, site.url("/a"), 1000) == b"a"

    assert site.paths == ["/robots.txt", "/a", "/a"]
    assert not any(b"cookie" in request.lower() for request in site.requests)


def test_redirects_share_one_deadline(site):
    site.pages["/a"] = redirect("/a")
    impatient = GuardedFetcher(RULES.destinations, timeout_s=0.2, admit=RULES.admit)

    with pytest.raises(FetchFailedError, match=r"within 0\.2 seconds"):
        RedirectFollower(impatient, 1_000_000).get(site.url("/a"))


async def test_robots_are_heeded_where_the_address_leads_too(site, pages):
    other = Site()
    try:
        site.pages["/a"] = redirect(other.url("/private/x"))
        other.pages["/robots.txt"] = answer(b"User-agent: *\nDisallow: /private")

        assert await refusal_of(pages, site.url("/a")) is UrlReason.DISALLOWED_BY_ROBOTS
        assert other.paths == ["/robots.txt"]
    finally:
        other.stop()


async def test_robots_are_asked_once_an_hour(site):
    now = 0.0
    pages = GuardedWebPages(FETCHER, "", monotonic=lambda: now)
    site.pages["/robots.txt"] = answer(b"User-agent: *\nDisallow: /b")
    site.pages["/a"] = answer(b"a")

    await pages.fetch(ACME, site.url("/a"), 1000)
    await pages.fetch(ACME, site.url("/a"), 1000)
    assert await refusal_of(pages, site.url("/b")) is UrlReason.DISALLOWED_BY_ROBOTS
    assert site.paths.count("/robots.txt") == 1
    now = robots_memory.FRESH_FOR_S + 1.0
    site.pages["/robots.txt"] = answer(b"User-agent: *\nDisallow: /a")

    assert await refusal_of(pages, site.url("/a")) is UrlReason.DISALLOWED_BY_ROBOTS


async def test_rules_that_one_tenant_was_told_are_asked_for_again_by_the_next(site, pages):
    """Else whoever has a site could tell that somebody fetched there, and be refused by rules that are gone."""
    site.pages["/robots.txt"] = answer(b"User-agent: *\nDisallow: /a")
    site.pages["/a"] = answer(b"a")
    assert await refusal_of(pages, site.url("/a")) is UrlReason.DISALLOWED_BY_ROBOTS
    site.pages["/robots.txt"] = answer(b"")

    assert await pages.fetch(GLOBEX, site.url("/a"), 1000) == b"a"
    assert await refusal_of(pages, site.url("/a")) is UrlReason.DISALLOWED_BY_ROBOTS


async def test_sites_of_one_tenant_push_out_none_of_anothers(pages, monkeypatch):
    monkeypatch.setattr(robots_memory, "REMEMBERED_BYTES", 600)  # one site
    sites = [Site(), Site()]
    try:
        await pages.fetch(ACME, put_page(sites[0]), 1000)
        for site in sites:
            await pages.fetch(GLOBEX, put_page(site), 1000)
        await pages.fetch(ACME, put_page(sites[0]), 1000)

        assert sites[0].paths.count("/robots.txt") == 2  # of each tenant one
        await pages.fetch(GLOBEX, put_page(sites[0]), 1000)
        assert sites[0].paths.count("/robots.txt") == 3
    finally:
        for site in sites:
            site.stop()


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "410 Gone", "401 Unauthorized"])
async def test_site_without_rules_allows_everything(site, pages, status):
    site.pages["/robots.txt"] = answer(b"User-agent: *\nDisallow: /", status)
    site.pages["/a"] = answer(b"a")

    assert await pages.fetch(ACME, site.url("/a"), 1000) == b"a"


@pytest.mark.parametrize(
    "robots",
    [
        answer(b"", "503 Unavailable"),
        answer(b"", "429 Too Many"),
        answer(b"#" * (MAX_BYTES + 1)),
        b"nonsense\r\n\r\n",
    ],
    ids=["503", "429", "too large", "no HTTP"],
)
async def test_while_nobody_knows_whether_robots_are_welcome_nothing_is_fetched(site, pages, robots):
    site.pages["/robots.txt"] = [robots, answer(b"")]
    site.pages["/a"] = answer(b"a")

    with pytest.raises(PageUnavailableError):
        await pages.fetch(ACME, site.url("/a"), 1000)

    assert site.paths == ["/robots.txt"]
    assert await pages.fetch(ACME, site.url("/a"), 1000) == b"a"


async def test_rules_are_found_behind_redirects(site, pages):
    site.pages["/robots.txt"] = redirect("/rules")
    site.pages["/rules"] = answer(b"User-agent: *\nDisallow: /")

    assert await refusal_of(pages, site.url("/a")) is UrlReason.DISALLOWED_BY_ROBOTS


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("404 Not Found", UrlReason.NOT_FOUND),
        ("410 Gone", UrlReason.NOT_FOUND),
        ("401 Unauthorized", UrlReason.REFUSED),
        ("403 Forbidden", UrlReason.REFUSED),
        ("400 Bad Request", UrlReason.REFUSED),
        ("304 Not Modified", UrlReason.REFUSED),
        ("302 Found", UrlReason.REFUSED),
    ],
)
async def test_refusal_that_will_not_pass(site, pages, status, reason):
    site.pages["/a"] = answer(b"", status)

    assert await refusal_of(pages, site.url("/a")) is reason


@pytest.mark.parametrize("status", ["500 Broken", "502 Bad Gateway", "503 Unavailable", "408 Timeout", "429 Too Many"])
async def test_failure_that_may_pass(site, pages, status):
    site.pages["/a"] = answer(b"", status)

    with pytest.raises(PageUnavailableError, match=status[:3]):
        await pages.fetch(ACME, site.url("/a"), 1000)


async def test_server_that_does_not_answer_may_do_so_later(pages):
    with pytest.raises(PageUnavailableError) as unavailable:
        await pages.fetch(ACME, "http://127.0.0.1:1/", 1000)

    assert "127.0.0.1" not in str(unavailable.value)


@pytest.mark.parametrize(
    "content", [answer(b"x" * 1001), b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001], ids=["announced", "without length"]
)
async def test_page_that_is_too_large_is_refused(site, pages, content):
    site.pages["/a"] = content

    assert await refusal_of(pages, site.url("/a")) is UrlReason.TOO_LARGE


async def test_page_that_says_it_is_too_large_is_not_read(site, pages):
    site.pages["/a"] = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\nx"

    assert await refusal_of(pages, site.url("/a")) is UrlReason.TOO_LARGE


async def test_page_as_large_as_allowed_is_taken(site, pages):
    site.pages["/a"] = answer(b"x" * 1000)

    assert len(await pages.fetch(ACME, site.url("/a"), 1000)) == 1000
