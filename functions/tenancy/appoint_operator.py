"""Appoint somebody who runs the deployment (T1, T3)."""

from shared.composition.services import Services
from shared.operations.capabilities import ACCOUNTS, IDENTITY
from shared.operations.declaration import CommandTrigger, operation
from shared.tenancy.descriptions import IssuedInvitation
from shared.tenancy.requests import AppointOperatorRequest


@operation(
    CommandTrigger(),
    uses=[IDENTITY.read, IDENTITY.write, ACCOUNTS.read],
    across_tenants="a command, always for the operators' own organisation",
)
async def appoint_operator(request: AppointOperatorRequest, services: Services) -> IssuedInvitation:
    """Invite an operator; the first one founds the operators' organisation. The token is accepted as any is.

    Raises: AlreadyMemberError.
    """
    invitation, token = await services.tenancy.operators.appoint(request.email)
    return IssuedInvitation.of(invitation, token, services.tenancy.clock.now())
