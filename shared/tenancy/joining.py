"""Becoming a member: by signing up with a new organisation, or by accepting an invitation (T1).

Either is one transaction: there is never an account without its organisation, a member without an account, or an
invitation that was used twice.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.identity.opaque_tokens import read_opaque_token
from shared.identity.password_sign_in import PasswordCheck
from shared.identity.passwords import PasswordHasher, check_password
from shared.identity.permissions import Role
from shared.identity.sessions import Sessions
from shared.identity.users import User, Users
from shared.kernel.clock import Clock
from shared.kernel.ids import InvitationId, TenantId, UserId, new_id
from shared.tenancy.attempts import until_settled
from shared.tenancy.errors import (
    AlreadyMemberError,
    ChangedMeanwhileError,
    EmailTakenError,
    InvalidInvitationError,
    OtherPasswordError,
    SignUpClosedError,
)
from shared.tenancy.granting import is_backed
from shared.tenancy.invitations import KIND
from shared.tenancy.models import OPERATORS, Invitation, InvitationStatus, Member, Tenant, TenantStatus
from shared.tenancy.owners import with_owner
from shared.tenancy.plans import PlanName
from shared.tenancy.ports import Put, Register, TenancyRepository, Write
from shared.tenancy.tenants import new_tenant


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever wants to join, in their own words."""

    email: str
    display_name: str
    password: str


@dataclass(frozen=True, slots=True)
class SignUps:
    """New organisations of people who come by themselves: always on the smallest plan."""

    records: TenancyRepository
    users: Users
    hasher: PasswordHasher
    clock: Clock
    is_open: bool
    """Whether this deployment takes organisations in that come by themselves."""

    async def sign_up(self, tenant: TenantId, name: str, person: Person) -> tuple[Tenant, UserId]:
        """Create an organisation, its first workspace, an account, and make that its owner.

        For an organisation that exists and belongs to the account of that address, return it: a repeated request.
        An address with an account is refused without looking at the password, for this door has no lock.

        Raises: SignUpClosedError, WeakPasswordError, EmailTakenError.
        """
        if not self.is_open:
            raise SignUpClosedError
        known = await self.users.by_email(person.email)
        if known is None:
            now = self.clock.now()
            user = await new_user(self.hasher, person, now)
            created, workspace = new_tenant(tenant, name, PlanName.STARTER.value, now)
            owned = with_owner(created, user.user_id, now)
            try:
                await self.records.commit(
                    tenant, [Put(owned), Put(workspace), Put(_member_of(tenant, user, Role.OWNER, now)), Register(user)]
                )
            except (ChangedMeanwhileError, EmailTakenError):
                known = await self.users.by_email(person.email)
            else:
                return replace(owned, revision=1), user.user_id
        existing = await self.records.tenant(tenant)
        if existing is None or known is None or known.user_id not in existing.owners:
            raise EmailTakenError("There is an account of this address. Sign in with it.")
        return existing, known.user_id


@dataclass(frozen=True, slots=True)
class Joining:
    """Acceptances of invitations, once each."""

    records: TenancyRepository
    users: Users
    hasher: PasswordHasher
    password_check: PasswordCheck
    sessions: Sessions
    clock: Clock

    async def read(self, text: str) -> Invitation:
        """Return the invitation to which a token belongs, whatever became of it. Raises: InvalidInvitationError."""
        token = read_opaque_token(KIND, text)
        if token is None:
            raise InvalidInvitationError
        found = await self.records.invitation(token.tenant, InvitationId(f"inv_{token.record}"))
        if found is None or not any([token.matches(secret_hash) for secret_hash in found.secret_hashes]):  # noqa: C419
            raise InvalidInvitationError
        return found

    async def accept(
        self, invitation: Invitation, acceptance: str, display_name: str | None, password: str
    ) -> tuple[Tenant, Member]:
        """Make the invited person a member, with a new account or, proved by its password, with the one they have.

        Under an `acceptance` that did so before, return the same again.

        Raises: InvalidInvitationError, WeakPasswordError, OtherPasswordError, SignInLockedError, AlreadyMemberError,
        ChangedMeanwhileError.
        """

        async def attempt() -> tuple[Tenant, Member]:
            # Before the invitation: if that is still open afterwards, the account is not one that it just made.
            account = await self.users.by_email(invitation.email)
            place = None if account is None else await self.records.member(invitation.tenant, account.user_id)
            found = await self.records.invitation(invitation.tenant, invitation.invitation_id)
            tenant = await self.records.tenant(invitation.tenant)
            if found is None or tenant is None or not _is_fit(found):
                raise InvalidInvitationError
            if found.accepted_by is not None and found.acceptance == acceptance:
                return tenant, await self._joined(found.tenant, found.accepted_by)
            now = self.clock.now()
            if found.status(now) is not InvitationStatus.PENDING or tenant.status is not TenantStatus.ACTIVE:
                raise InvalidInvitationError
            if not is_backed(found, tenant):
                raise InvalidInvitationError
            if account is None:
                name = display_name or found.email.partition("@")[0]
                user = await new_user(self.hasher, Person(found.email, name, password), now)
                registration: list[Write] = [Register(user)]
            else:
                user, registration = await self._proved(account, password), []
                if place is not None:
                    raise AlreadyMemberError("This account is a member already. Sign in.")
                # Of an earlier membership: nobody begins one without being a member, so none is left afterwards.
                await self.sessions.end_all(found.tenant, user.user_id)
            member = replace(_member_of(found.tenant, user, found.role, now), workspaces=found.workspaces)
            accepted = replace(found, accepted_by=user.user_id, accepted_at=now, acceptance=acceptance)
            owned = with_owner(tenant, user.user_id, now) if found.role is Role.OWNER else tenant
            owning: list[Write] = [] if owned is tenant else [Put(owned)]
            try:
                await self.records.commit(found.tenant, [*owning, Put(member), Put(accepted), *registration])
            except EmailTakenError as error:
                raise ChangedMeanwhileError(str(error)) from error
            return owned, replace(member, revision=1)

        return await until_settled(attempt)

    async def _proved(self, account: User, password: str) -> User:
        # Whoever may invite could otherwise try passwords here that sign-in would have stopped them from trying.
        if not await self.password_check.is_right(account.email, account, password):
            raise OtherPasswordError
        return account

    async def _joined(self, tenant: TenantId, user_id: UserId) -> Member:
        member = await self.records.member(tenant, user_id)
        if member is None:
            raise InvalidInvitationError
        return member


async def new_user(hasher: PasswordHasher, person: Person, now: datetime) -> User:
    """Return an account that is stored nowhere yet. Raises: WeakPasswordError."""
    check_password(person.password, person.email)
    password_hash = await hasher.hash(person.password)
    return User(UserId(new_id("usr", now)), person.email, person.display_name, password_hash, now)


def _is_fit(invitation: Invitation) -> bool:
    """Answer whether the role exists in that organisation: operators are at home in their own only."""
    return (invitation.role is Role.OPERATOR) == (invitation.tenant == OPERATORS)


def _member_of(tenant: TenantId, user: User, role: Role, now: datetime) -> Member:
    return Member(tenant, user.user_id, role, user.email, user.display_name, now, now)
