"""Cells of chunks as AWS gets them: domains, roles that name exactly those, and what functions hear of them (T6)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra_cdk.settings import SettingsError
from shared.operations.capabilities import CELL_REGISTRY, CELLS, INTERNET, PARSER, VECTORS, Capability
from shared.operations.declaration import ScheduleTrigger
from shared.operations.registry import all_operations
from shared.operations.variables import variables_of
from shared.operations.vector_cells import VECTOR_CELLS
from tests.infra.samples import sample
from tests.infra.templates import Templates, context_of
from tests.infra.test_settings import read

Build = Callable[..., Templates]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a function that synthesizes an environment with one operation, which searches unless told otherwise."""
    from aws_cdk import App

    from infra_cdk.environment import build_environment
    from infra_cdk.settings import settings_from

    def synthesize(environment: str, use: Capability = VECTORS.search, **context: Any) -> Templates:
        app = App(context=context_of(environment, **context), analytics_reporting=False, outdir=str(tmp_path))
        operation = sample("search_samples", ScheduleTrigger(1), [use])
        build_environment(app, settings_from(app.node.try_get_context), (operation,))
        app.synth()
        return Templates.read(environment, tmp_path)

    return synthesize


ELSEWHERE = {
    "id": "west",
    "endpoint": "https://west.example.com",
    "domain_name": "company-west",
    "region": "eu-west-1",
    "weight": 3,
}


def variables(templates: Templates) -> dict[str, Any]:
    (function,) = templates.all("AWS::Lambda::Function")
    found: dict[str, Any] = function.properties["Environment"]["Variables"]
    return found


def test_one_cell_is_told_to_nobody(build: Build) -> None:
    assert VECTOR_CELLS not in variables(build("dev"))


def test_own_indexes_need_no_further_cell(build: Build) -> None:
    templates = build("local", own_indexes=True)

    (cell,) = json.loads(variables(templates)[VECTOR_CELLS])["cells"]
    assert (cell["id"], cell["address"]) == ("main", "sqlite")


@pytest.mark.parametrize("use", [CELLS.read, CELLS.write, CELL_REGISTRY.read], ids=lambda use: use.id)
def test_who_places_and_moves_organisations_hears_of_the_cells_without_reaching_into_any(
    build: Build, use: Capability
) -> None:
    templates = build("dev", use, vector_cells=json.dumps([ELSEWHERE]))

    (function,) = templates.all("AWS::Lambda::Function")
    told = json.loads(str(templates.resolve(function.stack, variables(templates)[VECTOR_CELLS])))
    assert [cell["id"] for cell in told["cells"]] == ["main", "west"]
    assert "es:ESHttp" not in str([role.properties for role in templates.all("AWS::IAM::Role")])


def test_every_function_finds_all_that_its_operation_may_read(synthesize: Callable[..., Templates]) -> None:
    """In-process tests let operations read these variables and no others: none of them may lack in production."""
    without_address = {PARSER.resource.variable, INTERNET.resource.variable}
    templates = synthesize("prod", vector_cells=json.dumps([ELSEWHERE]))

    told = {
        function.properties["FunctionName"]: function.properties["Environment"]["Variables"].keys()
        for function in templates.all("AWS::Lambda::Function")
    }
    assert told == {
        f"tessera-prod-{one.id}": variables_of(one.capabilities) - without_address for one in all_operations()
    }


def test_an_existing_endpoint_becomes_a_cell_that_roles_name(build: Build) -> None:
    templates = build("dev", vector_cells=json.dumps([ELSEWHERE]))

    assert len(templates.all("AWS::OpenSearchService::Domain")) == 1
    told = str(templates.resolve(templates.all("AWS::Lambda::Function")[0].stack, variables(templates)[VECTOR_CELLS]))
    assert "https://west.example.com" in told
    policies = str([templates.resolve(role.stack, role.properties) for role in templates.all("AWS::IAM::Role")])
    assert ":domain/tessera-dev-vectors/*" in policies
    assert "eu-west-1" in policies
    assert ":domain/company-west/*" in policies


def test_a_cell_without_an_endpoint_is_a_domain_like_the_first(build: Build) -> None:
    templates = build("prod", vector_cells=[{"id": "second"}])

    first, second = sorted(
        templates.all("AWS::OpenSearchService::Domain"), key=lambda domain: str(domain.properties["DomainName"])
    )
    assert (first.properties["DomainName"], second.properties["DomainName"]) == (
        "tessera-prod-second",
        "tessera-prod-vectors",
    )
    assert first.properties["ClusterConfig"] == second.properties["ClusterConfig"]
    groups = [str(one.properties.get("LogGroupName", one)) for one in templates.all("AWS::Logs::LogGroup")]
    assert len(groups) == len(set(groups))
    policies = str([templates.resolve(role.stack, role.properties) for role in templates.all("AWS::IAM::Role")])
    assert ":domain/tessera-prod-second/*" in policies


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([{"id": "main"}], "main"),
        ([{"id": "b"}, {"id": "b"}], "of their own"),
        ([{**ELSEWHERE, "domain_name": None}], "domain_name"),
        ([{"id": "b", "region": "us-east-1"}], "is built in"),
        ([{"id": "No"}], "vector_cells"),
    ],
)
def test_cells_that_could_not_work_are_refused(cells: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read("prod", vector_cells=cells)


def test_a_built_cell_of_too_long_a_name_is_refused(build: Build) -> None:
    with pytest.raises(SettingsError, match="characters at most"):
        build("prod", vector_cells=[{"id": "a-name-that-is-too-long"}])
