"""Settings say what is missing or unsafe before anything is deployed."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra_cdk.empty_buckets import emptied
from infra_cdk.settings import LOCAL_ISSUER, Settings, SettingsError, settings_from
from tests.infra.templates import PROVIDER

EMPTY = Path(__file__).parent / "no-deployments-here"


def read(environment: str | None, **context: Any) -> Settings:
    return settings_from({"environment": environment, **context}.get, EMPTY)


@pytest.mark.parametrize("environment", [None, "staging"])
def test_environment_must_be_one_of_three(environment: str | None) -> None:
    with pytest.raises(SettingsError, match=r"-c environment=local\|dev\|prod"):
        read(environment)


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_cloud_environments_ask_for_the_token_issuer(environment: str) -> None:
    with pytest.raises(SettingsError, match=r"-c token_issuer=https://… -c token_jwks_url=https://…"):
        read(environment)


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize(
    "unsafe",
    [
        {"token_issuer": LOCAL_ISSUER},
        {"token_issuer": "https://localhost:8080"},
        {"token_issuer": "http://id.example.com"},
        {"token_jwks_url": "https://127.0.0.1/jwks.json"},
        {"token_jwks_url": "file:///etc/jwks.json"},
        {"token_jwks_url": "https://issuer.tessera.localhost/jwks.json"},
    ],
    ids=lambda unsafe: next(iter(unsafe.values())),
)
def test_cloud_environments_refuse_the_local_issuer(environment: str, unsafe: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="the local issuer's key lies on a developer's disk"):
        read(environment, **PROVIDER | unsafe)


def test_local_cloud_needs_no_context() -> None:
    settings = read("local")

    assert settings.token_issuer == LOCAL_ISSUER
    assert not settings.builds_domain


def test_prod_keeps_data_and_reaches_search_inside_the_vpc() -> None:
    settings = read("prod", **PROVIDER)

    assert (settings.keep_data, settings.uses_vpc) == (True, True)


def test_existing_domain_replaces_ours() -> None:
    settings = read(
        "prod", opensearch_endpoint="https://search.example.com", opensearch_domain_name="company-search", **PROVIDER
    )

    assert (settings.builds_domain, settings.uses_vpc) == (False, False)


def test_existing_endpoint_must_come_with_the_name_that_roles_need() -> None:
    with pytest.raises(SettingsError, match="opensearch_domain_name"):
        read("dev", opensearch_endpoint="https://search.example.com", **PROVIDER)


def test_values_of_the_command_line_are_understood() -> None:
    settings = read(
        "dev",
        cors_origins="https://a.example, https://b.example",
        log_retention_days="90",
        throttle_rate="7",
        **PROVIDER,
    )

    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert (settings.log_retention_days, settings.throttle_rate) == (90, 7)


@pytest.mark.parametrize(
    ("name", "value"),
    [("cors_origins", "*"), ("log_retention_days", "5"), ("region", "Frankfurt"), ("throttle_rate", "0")],
)
def test_value_that_does_not_fit_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read("dev", **{name: value}, **PROVIDER)


def test_file_of_the_environment_spares_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "prod.json").write_text(json.dumps({**PROVIDER, "throttle_rate": 7, "throttle_burst": 9}))

    settings = settings_from({"environment": "prod", "throttle_rate": "8"}.get, tmp_path)

    assert settings.token_issuer == PROVIDER["token_issuer"]
    assert (settings.throttle_rate, settings.throttle_burst) == (8, 9)


@pytest.mark.parametrize(("content", "problem"), [("{", "not JSON"), ("[]", "object"), ('{"colour": 1}', "colour")])
def test_file_that_does_not_fit_is_named(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "dev.json").write_text(content)

    with pytest.raises(SettingsError, match=problem):
        settings_from({"environment": "dev", **PROVIDER}.get, tmp_path)


@pytest.mark.parametrize(("name", "problem"), [("", "Say which"), ("staging", "Say which"), ("prod", "keeps its data")])
def test_only_environments_that_keep_nothing_are_emptied(name: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        emptied(name)
