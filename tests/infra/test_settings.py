"""Settings say what is missing or unsafe before anything is deployed."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra_cdk.empty_buckets import emptied
from infra_cdk.packages import ROOT
from infra_cdk.settings import DatabaseCapacity, Settings, SettingsError, refuse_unknown, settings_from

EMPTY = Path(__file__).parent / "no-deployments-here"


def read(environment: str | None, **context: Any) -> Settings:
    return settings_from({"environment": environment, **context}.get, EMPTY)


@pytest.mark.parametrize("environment", [None, "staging"])
def test_environment_must_be_one_of_three(environment: str | None) -> None:
    with pytest.raises(SettingsError, match=r"-c environment=local\|dev\|prod"):
        read(environment)


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_every_environment_signs_under_a_name_of_its_own(environment: str) -> None:
    assert read(environment).token_issuer == f"urn:tessera:{environment}"


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize(
    "issuer", ["urn:tessera:local", "https://localhost:8080", "https://127.0.0.1/", "https://issuer.tessera.localhost"]
)
def test_cloud_environments_refuse_the_name_of_another(environment: str, issuer: str) -> None:
    with pytest.raises(SettingsError, match="another environment's"):
        read(environment, token_issuer=issuer)


@pytest.mark.parametrize("issuer", ["http://id.example.com", "tessera", "https://id.example.com/ x"])
def test_name_of_the_issuer_is_a_url_over_tls_or_a_urn(issuer: str) -> None:
    with pytest.raises(SettingsError, match="token_issuer"):
        read("prod", token_issuer=issuer)


def test_local_cloud_needs_no_context() -> None:
    settings = read("local")

    assert (settings.builds_domain, settings.has_cache) == (False, False)


def test_cache_stands_in_the_vpc_or_not_at_all() -> None:
    elsewhere = {"opensearch_endpoint": "https://search.example.com", "opensearch_domain_name": "company-search"}

    assert read("prod").builds_cache
    assert not read("dev").has_cache
    assert not read("prod", **elsewhere).has_cache


def test_existing_cache_replaces_ours() -> None:
    settings = read("prod", cache_endpoint="rediss://tessera@cache.example.com:6379/?iam=company-cache")

    assert (settings.builds_cache, settings.has_cache) == (False, True)


@pytest.mark.parametrize(
    "address",
    [
        "redis://tessera@cache.example.com:6379/?iam=company-cache",
        "rediss://cache.example.com:6379/?iam=company-cache",
        "rediss://tessera:secret@cache.example.com:6379/?iam=company-cache",
        "rediss://tessera@cache.example.com:6379",
    ],
)
def test_existing_cache_is_reached_over_tls_by_a_role(address: str) -> None:
    with pytest.raises(SettingsError, match="must look like"):
        read("prod", cache_endpoint=address)


def test_existing_cache_is_out_of_reach_without_a_vpc() -> None:
    with pytest.raises(SettingsError, match="needs the VPC"):
        read("dev", cache_endpoint="rediss://tessera@cache.example.com:6379/?iam=company-cache")


def test_local_cloud_takes_any_redis() -> None:
    assert read("local", cache_endpoint="redis://127.0.0.1:6379").has_cache


def test_prod_keeps_data_and_reaches_search_inside_the_vpc() -> None:
    settings = read("prod")

    assert (settings.keep_data, settings.searches_inside) == (True, True)


def test_existing_domain_replaces_ours() -> None:
    settings = read("prod", opensearch_endpoint="https://search.example.com", opensearch_domain_name="company-search")

    assert (settings.builds_domain, settings.searches_inside) == (False, False)


def test_existing_endpoint_must_come_with_the_name_that_roles_need() -> None:
    with pytest.raises(SettingsError, match="opensearch_domain_name"):
        read("dev", opensearch_endpoint="https://search.example.com")


def test_values_of_the_command_line_are_understood() -> None:
    settings = read(
        "dev",
        cors_origins="https://a.example, https://b.example",
        log_retention_days="90",
        throttle_rate="7",
    )

    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert (settings.log_retention_days, settings.throttle_rate) == (90, 7)


@pytest.mark.parametrize(
    ("name", "value"),
    [("cors_origins", "*"), ("log_retention_days", "5"), ("region", "Frankfurt"), ("throttle_rate", "0")],
)
def test_value_that_does_not_fit_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read("dev", **{name: value})


def test_file_of_the_environment_spares_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "prod.json").write_text(json.dumps({"region": "eu-west-1", "throttle_rate": 7, "throttle_burst": 9}))

    settings = settings_from({"environment": "prod", "throttle_rate": "8"}.get, tmp_path)

    assert settings.region == "eu-west-1"
    assert (settings.throttle_rate, settings.throttle_burst) == (8, 9)


@pytest.mark.parametrize(("content", "problem"), [("{", "not JSON"), ("[]", "object"), ('{"colour": 1}', "colour")])
def test_file_that_does_not_fit_is_named(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "dev.json").write_text(content)

    with pytest.raises(SettingsError, match=problem):
        settings_from({"environment": "dev"}.get, tmp_path)


@pytest.mark.parametrize(("name", "problem"), [("", "Say which"), ("staging", "Say which"), ("prod", "keeps its data")])
def test_only_environments_that_keep_nothing_are_emptied(name: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        emptied(name)


@pytest.mark.parametrize("name", ["signup", "sign-up", "colour"])
def test_context_that_is_no_setting_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        refuse_unknown(["environment", "sign_up", name])


def test_context_of_the_cdk_is_left_alone() -> None:
    flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]

    own = ["aws:cdk:toolkit:default-region", "availability-zones:account=1:region=x", "cli-telemetry"]
    refuse_unknown(["environment", *flags, *own, "acknowledged-issue-numbers"])


@pytest.mark.parametrize("given", ['{"largest": 32}', {"largest": 32}])
def test_what_a_capacity_leaves_out_stays_as_it_is_in_the_environment(given: Any) -> None:
    database = read("prod", database_capacity=given).database_capacity

    assert database == DatabaseCapacity(smallest=0.5, largest=32, instances=2, backup_days=35)


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ({"database_capacity": {"smallest": 4, "largest": 2}}, "smallest"),
        ({"database_capacity": "plenty"}, "database_capacity: is no JSON"),
        ({"vector_cells": "second"}, "vector_cells: is no JSON"),
        ({"vector_cells": '[{"id": "a-cell-of-sixteen"}]'}, "a-cell-of-sixteen"),
        ({"cors_origins": "knowledge.alderbrook.example"}, "cors_origins"),
        ({"cors_origins": "https://knowledge.alderbrook.example/"}, "cors_origins"),
        ({"opensearch_endpoint": "search.alderbrook.example", "opensearch_domain_name": "a"}, "opensearch_endpoint"),
    ],
    ids=repr,
)
def test_value_that_would_fail_only_when_it_is_deployed_is_named(setting: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        read("prod", **setting)


def test_search_needs_a_domain_or_an_endpoint(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text('{"search_capacity": null}')

    with pytest.raises(SettingsError, match="search_capacity"):
        settings_from({"environment": "dev"}.get, tmp_path)


def test_deployment_can_be_closed_to_people_who_come_by_themselves() -> None:
    assert (read("prod").sign_up, read("prod", sign_up="closed").sign_up) == ("open", "closed")
    with pytest.raises(SettingsError, match="sign_up"):
        read("prod", sign_up="ajar")


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_only_the_local_cloud_may_fetch_from_its_own_machine(environment: str) -> None:
    with pytest.raises(SettingsError, match="fetch_loopback"):
        read(environment, fetch_loopback=True)

    assert read("local", fetch_loopback="true").fetch_policy.reaches_loopback


def test_what_is_said_about_fetching_reaches_the_functions_in_one_piece() -> None:
    settings = read("prod", fetch_contact="https://acme.example/robots", fetch_denied_hosts="a.example, b.example")

    assert settings.fetch_policy.model_dump() == {
        "contact": "https://acme.example/robots",
        "allowed_hosts": (),
        "denied_hosts": ("a.example", "b.example"),
        "takes_plain_http": False,
        "reaches_loopback": False,
    }


@pytest.mark.parametrize(
    "setting", [{"fetch_allowed_hosts": "https://a.example/"}, {"fetch_contact": "tell me\r\nx: y"}], ids=repr
)
def test_what_is_said_about_fetching_is_a_host_or_a_contact(setting: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="not of that form"):
        read("prod", **setting)
