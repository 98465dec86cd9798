"""The roles of functions as the synthesized template makes them, and the sessions that they would ask for there."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from shared.composition.settings import REGION, Settings
from shared.composition.tenant_access import TenantAccess
from shared.kernel.clock import SystemClock
from shared.kernel.ids import TenantId
from shared.operations.capabilities import RESOURCES, Bucket, Table
from shared.operations.declaration import Operation
from shared.operations.grants import Grants
from tests.infra.templates import Templates
from tests.infra.test_operations import function_of, role_of, statements, tenant_role_of
from tests.policies.simulator import ACCOUNT

_REGION: Final = "eu-central-1"
_REFERENCE: Final = re.compile(r"(Tessera-\w+-\w+)\.(\w+)\.(Ref|Arn)")


class Deployed:
    """One environment, with names where CloudFormation would put some."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    def own_role(self, operation: Operation) -> dict[str, Any]:
        """Return the policy of the function's own role."""
        return self._policy(role_of(self._templates, function_of(self._templates, operation)))

    def tenant_role(self, operation: Operation) -> dict[str, Any] | None:
        """Return the policy of the role that it assumes for tenants, None when it needs none."""
        role = tenant_role_of(self._templates, operation)
        return None if role is None else self._policy(role)

    def access(self, operation: Operation) -> TenantAccess:
        """Return what asks for sessions in that function, with that function's own environment."""
        variables = function_of(self._templates, operation).properties["Environment"]["Variables"]
        stack = function_of(self._templates, operation).stack
        named = {name: self._named(stack, value) for name, value in variables.items()}
        return TenantAccess(
            Grants(operation.capabilities, operation.id), Settings({**named, REGION: _REGION}), SystemClock()
        )

    def session(self, operation: Operation, tenant: str) -> str:
        """Return the policy of a session, as text."""
        return self.access(operation)._policy(TenantId(tenant))

    @cached_property
    def arns(self) -> Mapping[str, str]:
        """The ARNs of tables and buckets by their declared names."""
        found = {}
        for kind in ("AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket"):
            for one in self._templates.all(kind):
                found[one.logical_id[:-8]] = self._named(one.stack, {"Fn::GetAtt": [one.logical_id, "Arn"]})
        return {
            resource.name: found["".join(word.capitalize() for word in resource.name.split("-"))]
            for resource in RESOURCES
            if isinstance(resource, Table | Bucket)
        }

    def _policy(self, role: Any) -> dict[str, Any]:
        return {
            "Version": "2012-10-17",
            "Statement": [self._named(role.stack, statement) for statement in statements(role)],
        }

    def _named(self, stack: str, value: Any) -> Any:
        resolved = self._templates.resolve(stack, value)
        if isinstance(resolved, dict):
            return {name: self._named(stack, one) for name, one in resolved.items()}
        if isinstance(resolved, list):
            return [self._named(stack, one) for one in resolved]
        text = _REFERENCE.sub(self._name, str(resolved))
        return text.replace("<AWS::AccountId>", ACCOUNT).replace("<AWS::Partition>", "aws")

    def _name(self, reference: re.Match[str]) -> str:
        stack, logical_id, attribute = reference.groups()
        kind = self._templates.by_stack[stack]["Resources"][logical_id]["Type"]
        if kind == "AWS::S3::Bucket":
            properties = self._templates.by_stack[stack]["Resources"][logical_id]["Properties"]
            name = str(self._templates.resolve(stack, properties.get("BucketName", logical_id)))
            return name if attribute == "Ref" else f"arn:aws:s3:::{name}"
        if kind == "AWS::DynamoDB::GlobalTable":
            return logical_id if attribute == "Ref" else f"arn:aws:dynamodb:{_REGION}:{ACCOUNT}:table/{logical_id}"
        return logical_id if attribute == "Ref" else f"arn:aws:service:{_REGION}:{ACCOUNT}:{logical_id}"
