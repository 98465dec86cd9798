"""Templates of every environment, synthesized once per run: starting the CDK takes seconds."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from infra_cdk.node import use_node_of_the_wheel
from tests.infra.templates import Templates, context_of

use_node_of_the_wheel()  # before anything imports the CDK

ENVIRONMENTS = ("local", "dev", "prod")


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Templates]:
    """Return a function that synthesizes an environment as the app does, with more context, and remembers it."""
    from aws_cdk import App

    from infra_cdk.environment import build_environment
    from infra_cdk.settings import settings_from
    from shared.operations.registry import all_operations

    @cache
    def templates_of(environment: str, **context: Any) -> Templates:
        folder = tmp_path_factory.mktemp(environment)
        app = App(context=context_of(environment, **context), analytics_reporting=False, outdir=str(folder))
        build_environment(app, settings_from(app.node.try_get_context), all_operations())
        app.synth()
        return Templates.read(environment, folder)

    return templates_of


@pytest.fixture(params=ENVIRONMENTS)
def templates(request: pytest.FixtureRequest, synthesize: Callable[..., Templates]) -> Templates:
    """The templates of each environment in turn. That they exist means that cdk-nag found nothing."""
    return synthesize(request.param)


@pytest.fixture
def prod(synthesize: Callable[..., Templates]) -> Templates:
    return synthesize("prod")
