"""Those who run the deployment: appointed from the AWS account, never through the API (T3)."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from shared.identity.opaque_tokens import OpaqueToken
from shared.identity.permissions import Role
from shared.identity.sessions import Sessions
from shared.identity.users import Users
from shared.kernel.clock import Clock
from shared.kernel.ids import InvitationId, UserId, new_id
from shared.tenancy.attempts import until_settled
from shared.tenancy.errors import AlreadyMemberError, ChangedMeanwhileError, MemberNotFoundError
from shared.tenancy.invitations import new_invitation, revoke_all_of
from shared.tenancy.models import OPERATORS, Invitation, Tenant
from shared.tenancy.plans import PlanName
from shared.tenancy.ports import Put, Remove, TenancyRepository

THE_ACCOUNT: Final = UserId("aws-account")
"""Who invites operators: whoever may invoke a function of this deployment by name."""


@dataclass(frozen=True, slots=True)
class Operators:
    """The members of the operators' own organisation."""

    records: TenancyRepository
    users: Users
    sessions: Sessions
    clock: Clock

    async def appoint(self, email: str) -> tuple[Invitation, OpaqueToken]:
        """Invite an operator; the first one founds their organisation. Raises: AlreadyMemberError."""
        now = self.clock.now()
        # Refused when it was founded before. Nobody pays for it, and its members write in bulk.
        founded = Tenant(OPERATORS, "Operators", now, now, plan=PlanName.ENTERPRISE.value)
        with suppress(ChangedMeanwhileError):
            await self.records.commit(OPERATORS, [Put(founded)])
        account = await self.users.by_email(email)
        if account is not None and await self.records.member(OPERATORS, account.user_id) is not None:
            raise AlreadyMemberError(f"{email} is an operator already.")
        invitation, token = new_invitation(
            OPERATORS, InvitationId(new_id("inv", now)), email, Role.OPERATOR, None, THE_ACCOUNT, now
        )
        await self.records.commit(OPERATORS, [Put(invitation)])
        return invitation, token

    async def dismiss(self, email: str) -> None:
        """Let an operator in no more, nor by another invitation. Raises: MemberNotFoundError, ChangedMeanwhileError."""
        await revoke_all_of(self.records, OPERATORS, email, self.clock.now())
        account = await self.users.by_email(email)

        async def attempt() -> UserId:
            member = None if account is None else await self.records.member(OPERATORS, account.user_id)
            if member is None:
                raise MemberNotFoundError(f"{email} is no operator.")
            await self.records.commit(OPERATORS, [Remove(member)])
            return member.user_id

        await self.sessions.end_all(OPERATORS, await until_settled(attempt))
