"""Organisations and who belongs to them, of one function; each part is built when first asked for."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from shared.composition.adapters import Adapters
from shared.composition.identity import Identity
from shared.composition.settings import Settings
from shared.kernel.clock import Clock
from shared.operations.capabilities import IDENTITY, METADATA, SIGN_UP

OPEN: Final = "open"

if TYPE_CHECKING:
    from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
    from shared.kernel.repeated_requests import RepeatedRequests
    from shared.tenancy.invitations import Invitations
    from shared.tenancy.joining import Joining, SignUps
    from shared.tenancy.members import Members
    from shared.tenancy.operators import Operators
    from shared.tenancy.tenants import Operating, Tenants
    from shared.tenancy.workspaces import WorkspaceRemoval, Workspaces


@dataclass(frozen=True)
class Tenancy:
    """Organisations, workspaces, members, invitations."""

    adapters: Adapters
    settings: Settings
    identity: Identity
    clock: Clock

    @cached_property
    def tenants(self) -> "Tenants":
        from shared.tenancy.tenants import Tenants

        return Tenants(self._records, self.clock)

    @cached_property
    def operating(self) -> "Operating":
        from shared.tenancy.tenants import Operating

        return Operating(self._records, self.clock)

    @cached_property
    def operators(self) -> "Operators":
        from shared.tenancy.operators import Operators

        return Operators(self._records, self.identity.users, self.identity.session_ending, self.clock)

    @cached_property
    def workspaces(self) -> "Workspaces":
        from shared.tenancy.workspaces import Workspaces

        return Workspaces(self._records, self.clock)

    @cached_property
    def workspace_removal(self) -> "WorkspaceRemoval":
        """It alone looks at what is in a workspace."""
        from shared.adapters.dynamodb.workspace_use import DynamoWorkspaceUse
        from shared.tenancy.workspaces import WorkspaceRemoval

        use = DynamoWorkspaceUse(self.adapters.transactions, self.settings.address_of(METADATA))
        return WorkspaceRemoval(self._records, use)

    @cached_property
    def members(self) -> "Members":
        from shared.tenancy.members import Members

        return Members(self._records, self.identity.session_ending, self.clock)

    @cached_property
    def invitations(self) -> "Invitations":
        from shared.tenancy.invitations import Invitations

        return Invitations(self._records, self.identity.users, self.clock)

    @cached_property
    def sign_ups(self) -> "SignUps":
        from shared.tenancy.joining import SignUps

        is_open = self.settings.address_of(SIGN_UP.resource) == OPEN
        return SignUps(self._records, self.identity.users, self.identity.password_hasher, self.clock, is_open)

    @cached_property
    def joining(self) -> "Joining":
        from shared.tenancy.joining import Joining

        parts = self.identity
        return Joining(
            self._records,
            parts.users,
            parts.password_hasher,
            parts.password_check,
            parts.session_ending,
            self.clock,
        )

    @cached_property
    def repeated_requests(self) -> "RepeatedRequests":
        """Remembers requests beside what they create, for functions that do not touch the data."""
        from shared.adapters.dynamodb.request_memory import DynamoRequestMemory
        from shared.kernel.repeated_requests import RepeatedRequests

        memory = DynamoRequestMemory(self.adapters.aws.dynamodb, self.settings.address_of(IDENTITY))
        return RepeatedRequests(memory, self.clock)

    @cached_property
    def _records(self) -> "DynamoTenancy":
        from shared.adapters.dynamodb.tenancy_records import DynamoTenancy

        return DynamoTenancy(self.adapters.transactions, self.settings.address_of(IDENTITY))
