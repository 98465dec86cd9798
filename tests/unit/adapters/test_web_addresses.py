"""Which web addresses may be fetched: the corpus of what may not is `tests/addresses.py`."""

from ipaddress import ip_address

import pytest

from shared.adapters.http.guarded_fetcher import DestinationRefusedError, read_target
from shared.adapters.http.web_addresses import WebAddresses


def is_admitted(rules: WebAddresses, url: str) -> bool:
    try:
        rules.admit(read_target(url))
    except DestinationRefusedError:
        return False
    return True


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com", "https://example.com/", "https://EXAMPLE.com/a?b=c", "https://a.b.c.example.com/",
        "https://example.com:443/", "https://xn--mnchen-3ya.example/", "https://1.example.com/", "https://3com.com/",
        "https://93.184.216.34/", "https://[2606:4700::1111]/", "https://a_b.example.com/", "https://0x7f.example/",
        "https://localhost.example.com/", "https://internal.example.com/", "https://127.0.0.1.example.com/",
    ],
)  # fmt: skip
def test_address_of_the_public_internet_is_admitted(url):
    assert is_admitted(WebAddresses(), url)


def test_plain_http_is_admitted_where_the_deployment_says_so():
    rules = WebAddresses(takes_plain_http=True)

    assert is_admitted(rules, "http://example.com/")
    assert rules.destinations("http", ip_address("93.184.216.34"))
    assert not rules.destinations("http", ip_address("127.0.0.1"))
    assert not is_admitted(rules, "http://127.0.0.1/")
    assert not is_admitted(rules, "http://example.com:8080/")


def test_denied_hosts_are_refused_with_all_below_them():
    rules = WebAddresses(denied_hosts=("example.com",))

    assert not is_admitted(rules, "https://example.com/")
    assert not is_admitted(rules, "https://WWW.Example.com/")
    assert is_admitted(rules, "https://notexample.com/")


def test_allowed_hosts_are_all_that_is_admitted_and_denying_wins():
    rules = WebAddresses(allowed_hosts=("example.com",), denied_hosts=("private.example.com",))

    assert is_admitted(rules, "https://www.example.com/")
    assert not is_admitted(rules, "https://private.example.com/")
    assert not is_admitted(rules, "https://example.org/")
    assert not is_admitted(rules, "https://example.com.evil.org/")


def test_allowing_a_host_does_not_open_what_is_inside():
    assert not is_admitted(WebAddresses(allowed_hosts=("127.0.0.1", "localhost")), "https://127.0.0.1/")
    assert not is_admitted(WebAddresses(allowed_hosts=("127.0.0.1", "localhost")), "https://localhost/")


def test_local_cloud_may_reach_its_own_machine_and_no_neighbour():
    rules = WebAddresses(reaches_loopback=True)

    assert is_admitted(rules, "http://127.0.0.1:8000/")
    assert is_admitted(rules, "http://localhost:8000/")
    assert not is_admitted(rules, "http://169.254.169.254/")
    assert not is_admitted(rules, "http://10.0.0.1:8000/")
    assert not rules.destinations("http", ip_address("93.184.216.34"))
    assert not rules.destinations("https", ip_address("192.168.0.1"))
