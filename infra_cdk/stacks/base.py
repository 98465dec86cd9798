"""What every stack has in common."""

from typing import Final, TypeVar

from aws_cdk import CfnResource, Environment, RemovalPolicy, Stack, Tags
from constructs import Construct

from infra_cdk.naming import stack_name
from infra_cdk.settings import Settings

R = TypeVar("R", bound=CfnResource)

ENVIRONMENT_TAG: Final = "tessera:environment"


class AreaStack(Stack):
    """One stack of an environment, `Tessera-<environment>-<area>`.

    The region is fixed, so that the template does not depend on who synthesizes it; the account is the deployer's.
    """

    def __init__(self, scope: Construct, area: str, settings: Settings, description: str) -> None:
        super().__init__(
            scope,
            stack_name(settings.environment, area),
            env=Environment(region=settings.region),
            description=f"Tessera: {description}",
            termination_protection=settings.keep_data,
        )
        self.settings = settings
        Tags.of(self).add(ENVIRONMENT_TAG, settings.environment)

    @property
    def removal(self) -> RemovalPolicy:
        """What happens to data when the stack is destroyed."""
        return RemovalPolicy.RETAIN if self.settings.keep_data else RemovalPolicy.DESTROY


def resource_of(construct: Construct, kind: type[R]) -> R:
    """Return the CloudFormation resource inside `construct`, for a property that the construct does not offer."""
    resource = construct.node.default_child
    if not isinstance(resource, kind):
        raise TypeError(f"{construct.node.path} is not made of a {kind.__name__}.")
    return resource
