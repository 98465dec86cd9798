"""What one function may reach of tenants: the rules of its declaration, and sessions that AWS holds to them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from shared.composition.settings import Settings
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId
from shared.kernel.tenants import TenantContextError
from shared.operations.capabilities import RESOURCES, Bucket, Resource
from shared.operations.grants import Grants
from shared.operations.tenant_policies import TenantRules, session_policy

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

    from shared.adapters.aws.calls import Use
    from shared.adapters.aws.session_credentials import TenantSessions

CALLS: Final = "tessera.calls"
"""The logger that is told of each call to tables and buckets, and for whom it is signed."""
TRACE: Final = 5
"""Its level: below debugging, for it is everything, of everybody."""

_log = logging.getLogger(CALLS)

_BUCKETS: Final = frozenset(one.name for one in RESOURCES if isinstance(one, Bucket))


@dataclass(frozen=True)
class TenantAccess:
    """Looks at each call before it is signed, and asks for the sessions that calls are signed with."""

    grants: Grants
    settings: Settings
    clock: Clock

    def admit(self, uses: "Sequence[Use]") -> TenantId | None:
        """Return the tenant whom a call reaches, None when it reaches nobody's data in particular.

        Raises: TenantContextError when the invocation works for another, and for a call that reaches several.
        """
        tenants = {tenant for use in uses if (tenant := self._tenant_of(use)) is not None}
        if len(tenants) > 1:
            raise TenantContextError("One call reaches several tenants.")
        tenant = next(iter(tenants), None)
        if _log.isEnabledFor(TRACE):
            _log.log(TRACE, "call", extra={"operation": self.grants.operation_id, "tenant": tenant, "uses": uses})
        return tenant

    def _tenant_of(self, use: "Use") -> TenantId | None:
        name = self._names[use.address]
        if name in _BUCKETS:
            return self._rules.tenant_of_objects(name, use.action, use.keys)
        if use.index is not None:
            return self._rules.tenant_of_index(name, use.action, use.index, use.keys)
        return self._rules.tenant_of_partitions(name, use.action, use.keys)

    def sessions(self, sts: "STSClient") -> "TenantSessions":
        """Raises: MissingSettingError where no role to assume is known."""
        from shared.adapters.aws.session_credentials import TenantSessions

        return TenantSessions(sts, self.settings.tenant_role, self._policy, self.clock)

    def _policy(self, tenant: TenantId) -> str:
        return session_policy(self.grants.capabilities, self._arn_of, tenant)

    def _arn_of(self, resource: Resource) -> str:
        # Roles and what they reach stand in one account.
        _, partition, _, _, account, _ = self.settings.tenant_role.split(":", 5)
        name = self.settings.address_of(resource)
        if isinstance(resource, Bucket):
            return f"arn:{partition}:s3:::{name}"
        return f"arn:{partition}:dynamodb:{self.settings.region}:{account}:table/{name}"

    @cached_property
    def _names(self) -> dict[str, str]:
        return self.settings.known_addresses()

    @cached_property
    def _rules(self) -> TenantRules:
        return TenantRules(self.grants.capabilities)
