"""What sites say to robots is remembered in little memory, however much they say and however many there are."""

import tracemalloc
from collections.abc import Iterator

import pytest

from shared.adapters.http.robots_memory import REMEMBERED_BYTES, RobotsMemory
from shared.adapters.http.robots_rules import MAX_BYTES, RobotsRules
from shared.kernel.ids import TenantId
from shared.kernel.tenants import AdmittedTenant, admitted
from tests.ambient import looking_on


@pytest.fixture
def tenants() -> Iterator[list[AdmittedTenant]]:
    with looking_on():
        yield [admitted(TenantId(name)) for name in ("acme", "globex")]


def rules_of(count: int) -> RobotsRules:
    lines = [f"Disallow: /{number}" for number in range(count)]
    return RobotsRules.read("\n".join(["User-agent: *", *lines]).encode(), "Tessera")


def remembered(memory: RobotsMemory, tenant: AdmittedTenant, sites: list[str]) -> list[str]:
    return [site for site in sites if memory.recall(tenant, site) is not None]


def test_sites_that_say_much_are_forgotten_sooner(tenants):
    acme, globex = tenants
    memory, sites = RobotsMemory(), [f"https://{number}.example" for number in range(100)]
    little, much = rules_of(1), rules_of(200)
    memory.remember(globex, sites[0], little)

    for site in sites:
        memory.remember(acme, site, much)

    kept = remembered(memory, acme, sites)
    assert kept == sites[-len(kept) :]
    assert 1 <= len(kept) <= REMEMBERED_BYTES / much.size_bytes
    assert memory.recall(globex, sites[0]) is little


def test_a_site_that_says_too_much_is_not_remembered_at_all(tenants):
    memory = RobotsMemory()
    memory.remember(tenants[0], "https://a.example", rules_of(3000))

    assert memory.recall(tenants[0], "https://a.example") is None


def test_sites_without_rules_take_memory_too(tenants):
    memory, sites = RobotsMemory(), [f"https://{number}.example" for number in range(1000)]

    for site in sites:
        memory.remember(tenants[0], site, RobotsRules())

    assert 20 <= len(remembered(memory, tenants[0], sites)) <= REMEMBERED_BYTES / 300


def test_rules_are_no_larger_than_they_say():
    content = b"User-agent: *\n" + b"allow:/a\n" * (MAX_BYTES // 9 // 8)
    RobotsRules.read(content, "Tessera")  # so that what is made once is not counted

    tracemalloc.start()
    try:
        rules = RobotsRules.read(content, "Tessera")
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken <= rules.size_bytes <= 2 * taken
