"""Declared resources as AWS sees them: what a role names, and what a function finds in its environment."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra_cdk.naming import resource_name
from infra_cdk.settings import Settings
from shared.operations.capabilities import Bucket, Capability, Resource
from shared.operations.tenant_policies import Statement, holds_tenant_data, shared_statements, tenant_statements
from shared.operations.variables import variables_about, variables_of


@dataclass(frozen=True)
class Address:
    """Where one resource is.

    `arns` name the resource itself: one, or all that an action on it must name. `arns_within` cover what it holds:
    objects, index paths.
    """

    variables: dict[str, str]
    arns: tuple[str, ...] = ()
    arns_within: tuple[str, ...] = ()
    stream_arn: str | None = None


@dataclass
class Resources:
    """The addresses of one environment, filled by the stacks that own the resources."""

    settings: Settings
    addresses: dict[str, Address] = field(default_factory=dict)
    _told: dict[str, str] = field(default_factory=dict)

    def add(self, resource: Resource, address: Address) -> None:
        """Raises: ValueError for a variable through which nobody who uses `resource` hears of it."""
        if unheard := address.variables.keys() - variables_about(resource):
            raise ValueError(f"{', '.join(sorted(unheard))} would reach nobody who uses {resource.name}.")
        self.addresses[resource.name] = address
        self.tell(address.variables)

    def tell(self, variables: dict[str, str]) -> None:
        """Let whoever gets these variables by declaration hear of their values."""
        self._told |= variables

    def address_of(self, resource: Resource) -> Address:
        """Raises: KeyError for a resource that no stack provides, which is a defect of the stacks."""
        return self.addresses[resource.name]

    def statements_of(self, capabilities: Iterable[Capability]) -> list[iam.PolicyStatement]:
        """Return the literal permissions of a function's own role: exact actions on exact addresses.

        Of what holds tenants' data these are partitions that belong to no tenant, and indexes read for several.
        """
        declared = tuple(capabilities)
        actions_by_arn: dict[str, set[str]] = {}
        for capability in declared:
            if not (capability.actions or capability.actions_within) or holds_tenant_data(capability.resource):
                continue
            address = self.address_of(capability.resource)
            for actions, on in ((capability.actions, address.arns), (capability.actions_within, address.arns_within)):
                if actions and not on:
                    raise ValueError(f"{capability.id} has actions, but {capability.resource.name} has no ARN.")
                for arn in on if actions else ():
                    actions_by_arn.setdefault(arn, set()).update(actions)
        return [
            *(iam.PolicyStatement(actions=sorted(actions), resources=[arn]) for arn, actions in actions_by_arn.items()),
            *map(_as_policy, shared_statements(declared, self._arn_of)),
        ]

    def tenant_statements_of(self, capabilities: Iterable[Capability]) -> list[iam.PolicyStatement]:
        """Return what the role may do that a function assumes for one tenant at a time."""
        return [_as_policy(one) for one in tenant_statements(tuple(capabilities), self._arn_of)]

    def _arn_of(self, resource: Resource) -> str:
        (arn,) = self.address_of(resource).arns
        return arn

    def wildcards_of(self, capabilities: Iterable[Capability]) -> list[str]:
        """Return the addresses ending in a wildcard that `capabilities` need: what a bucket or a domain holds."""
        named = [use for use in capabilities if use.actions_within and not isinstance(use.resource, Bucket)]
        within = {arn for use in named for arn in self.address_of(use.resource).arns_within}
        return sorted(arn for arn in within if arn.endswith("*"))

    def environment_of(self, capabilities: Iterable[Capability]) -> dict[str, str]:
        """Return the variables through which a function finds exactly what it declares.

        Raises: KeyError for a resource that no stack provides, which is a defect of the stacks.
        """
        declared = tuple(capabilities)
        for capability in declared:
            self.address_of(capability.resource)
        own = variables_of(declared)
        return {variable: value for variable, value in self._told.items() if variable in own}


def _as_policy(statement: Statement) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=sorted(statement.actions), resources=list(statement.arns), conditions=dict(statement.conditions)
    )


def bucket_name(scope: Stack, settings: Settings, bucket: Bucket) -> str:
    """Return a bucket's physical name, known before the bucket exists: its queue's policy names it first."""
    return f"{resource_name(settings.environment, bucket.name)}-{scope.account}-{scope.region}"
