"""Dismiss somebody who ran the deployment (T1, T3)."""

from shared.composition.services import Services
from shared.operations.capabilities import ACCOUNTS, IDENTITY, MEMBERSHIPS
from shared.operations.declaration import CommandTrigger, operation
from shared.tenancy.requests import DismissOperatorRequest


@operation(
    CommandTrigger(),
    uses=[IDENTITY.read, IDENTITY.write, ACCOUNTS.read, MEMBERSHIPS.replace],
    across_tenants="a command, always for the operators' own organisation",
)
async def dismiss_operator(request: DismissOperatorRequest, services: Services) -> None:
    """Let an operator in no more; it holds within a minute.

    Raises: MemberNotFoundError, ChangedMeanwhileError.
    """
    await services.tenancy.operators.dismiss(request.email)
