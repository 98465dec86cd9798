"""What CloudFormation would refuse before it makes anything: unknown properties, wrong values, references to nothing.

The schemas of AWS's resources come with cfn-lint; the emulator does not look at most of them.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from tests.infra.templates import Templates

REGION: Final = "eu-central-1"
WRITTEN_BY_THE_CDK: Final = ["W3005"]
"""`DependsOn` that a reference implies already: the CDK writes it for every role, and it does no harm."""


def findings(template: Mapping[str, Any]) -> list[str]:
    from cfnlint.api import lint
    from cfnlint.config import ManualArgs

    settings = ManualArgs(ignore_checks=WRITTEN_BY_THE_CDK, regions=[REGION])
    return [f"{one.rule.id} {one.message}" for one in lint(json.dumps(template), config=settings)]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_every_template_is_valid(synthesize: Callable[[str], Templates], environment: str) -> None:
    found = {stack: findings(template) for stack, template in synthesize(environment).by_stack.items()}
    assert {stack: some for stack, some in found.items() if some} == {}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"BillingModus": "PAY_PER_REQUEST"}, "E3002"),
        ({"BillingMode": "PAY_PER_MONTH"}, "E3030"),
        ({"TableName": {"Ref": "Nothing"}}, "E1020"),
    ],
)
def test_a_mistake_is_found(prod: Templates, change: dict[str, Any], rule: str) -> None:
    table = next(iter(prod.all("AWS::DynamoDB::GlobalTable")))
    wrong = {**table.body, "Properties": {**table.properties, **change}}
    template = {"Resources": {table.logical_id: wrong}}
    assert rule in {one.partition(" ")[0] for one in findings(template)}
