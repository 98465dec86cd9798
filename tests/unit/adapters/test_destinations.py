"""Where requests may go whose addresses others choose."""

from ipaddress import ip_address

import pytest

from shared.adapters.http.destinations import is_public, public_only, public_or_loopback

NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 (an address that nothing is bound to)
    "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.1.2.3", "169.254.169.254", "169.254.170.2", "172.16.0.1",
    "172.31.255.255", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:93.184.216.34", "::127.0.0.1", "64:ff9b::a00:1",
    "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:0:53aa:64c:0:0:f5ff:fffe", "2001:db8::1", "2002:a00:1::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "5f00::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.216.34", "172.32.0.1", "192.169.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_address_that_is_not_of_the_public_internet_is_out_of_reach(text):
    address = ip_address(text)

    assert not is_public(address)
    assert not public_only("https", address)
    assert not public_only("http", address)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_address_is_reached_by_tls_only(text):
    address = ip_address(text)

    assert public_only("https", address)
    assert not public_only("http", address)
    assert public_or_loopback("https", address)
    assert not public_or_loopback("http", address)


def test_local_cloud_reaches_its_own_machine_and_no_neighbour():
    assert public_or_loopback("http", ip_address("127.0.0.1"))
    assert public_or_loopback("http", ip_address("::1"))
    assert not public_or_loopback("http", ip_address("10.0.0.1"))
    assert not public_or_loopback("https", ip_address("169.254.169.254"))
