"""Who gets in through an identity provider, and as which member (T1, T2).

A provider is believed within the organisation that connected it and nowhere else. It may speak for somebody who is a
member there already; whoever joins through it gets an account of that organisation's own, unlisted: no account of the
same address elsewhere is touched, entered, or taken away from its owner.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.identity.oidc_claims import ExternalIdentity
from shared.identity.oidc_errors import (
    LINKED_TO_ANOTHER,
    NO_VERIFIED_EMAIL,
    NOT_INVITED,
    OTHER_DOMAIN,
    REMOVED,
    SUSPENDED,
    NotAdmittedError,
)
from shared.identity.oidc_ports import IdentityLinks
from shared.identity.oidc_providers import IdentityProvider
from shared.identity.permissions import Role
from shared.identity.users import User, normalised_email
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId, UserId, WorkspaceId, new_id
from shared.tenancy.attempts import until_settled
from shared.tenancy.granting import is_backed
from shared.tenancy.models import Invitation, InvitationStatus, Member, Tenant, TenantStatus
from shared.tenancy.owners import with_owner
from shared.tenancy.ports import Check, Link, Put, RegisterUnlisted, TenancyRepository, Write

_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class _Place:
    """What somebody who joins becomes; with the invitation that says so, if any."""

    role: Role
    workspaces: frozenset[WorkspaceId] | None = None
    invitation: Invitation | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """Finds the member whom an external identity is, or makes one."""

    tenancy: TenancyRepository
    links: IdentityLinks
    clock: Clock

    async def admit(self, provider: IdentityProvider, identity: ExternalIdentity) -> Member:
        """Return the member of `provider.tenant`: linked before, found by a verified address, invited, or new.

        Raises: NotAdmittedError, ChangedMeanwhileError.
        """
        return await until_settled(lambda: self._admit(provider, identity))

    async def _admit(self, provider: IdentityProvider, identity: ExternalIdentity) -> Member:
        tenant = await self.tenancy.tenant(provider.tenant)
        if tenant is None or tenant.status is TenantStatus.SUSPENDED:
            raise NotAdmittedError(SUSPENDED)
        linked = await self.links.user_of(provider.tenant, provider.provider_id, identity.subject)
        if linked is not None:
            member = await self.tenancy.member(provider.tenant, linked)
            if member is not None:
                return member
        email = _verified_email(provider, identity)
        if linked is None:
            member = await self._member_with(provider.tenant, email)
            if member is not None:
                return await self._link(provider, identity, member)
        invitation = await self._invitation_for(tenant, email)
        if invitation is not None:
            place = _Place(invitation.role, invitation.workspaces, invitation)
        elif linked is not None or await self.tenancy.was_member(tenant.tenant, email):
            # Also of somebody who only ever used a password: what an owner took away is not had back by oneself.
            raise NotAdmittedError(REMOVED)
        elif provider.default_role is not None:
            place = _Place(provider.default_role)
        else:
            raise NotAdmittedError(NOT_INVITED)
        return await self._join(tenant, provider, identity, email, linked, place)

    async def _link(self, provider: IdentityProvider, identity: ExternalIdentity, member: Member) -> Member:
        if await self.links.is_linked(provider.tenant, provider.provider_id, member.user_id):
            # The same person, signing in twice at once, may have been linked a moment ago.
            if await self.links.user_of(provider.tenant, provider.provider_id, identity.subject) == member.user_id:
                return member
            # Addresses are given to new people; what stood behind the old one's sign-in is not theirs.
            raise NotAdmittedError(LINKED_TO_ANOTHER)
        link = Link(provider.tenant, provider.provider_id, identity.subject, member.user_id)
        await self.tenancy.commit(provider.tenant, [Check(member), link])
        return member

    async def _join(
        self,
        tenant: Tenant,
        provider: IdentityProvider,
        identity: ExternalIdentity,
        email: str,
        linked: UserId | None,
        place: _Place,
    ) -> Member:
        now = self.clock.now()
        user_id = linked or UserId(new_id("usr", now))
        name = identity.display_name or email.partition("@")[0]
        member = Member(tenant.tenant, user_id, place.role, email, name, now, now, place.workspaces)
        owned = with_owner(tenant, user_id, now) if place.role is Role.OWNER else tenant
        writes: list[Write] = [Put(member), Check(tenant) if owned is tenant else Put(owned)]
        if place.invitation is not None:
            writes.append(Put(replace(place.invitation, accepted_by=user_id, accepted_at=now)))
        if linked is None:
            writes.append(RegisterUnlisted(User(user_id, email, name, None, now)))
            writes.append(Link(tenant.tenant, provider.provider_id, identity.subject, user_id))
        await self.tenancy.commit(tenant.tenant, writes)
        return member

    async def _member_with(self, tenant: TenantId, email: str) -> Member | None:
        """Return the earliest member of that address: somebody may have joined twice, by password and by provider."""
        after: UserId | None = None
        while page := await self.tenancy.members(tenant, _PAGE, after):
            for member in page:
                if member.email == email:
                    return member
            after = page[-1].user_id
        return None

    async def _invitation_for(self, tenant: Tenant, email: str) -> Invitation | None:
        """Return the newest invitation of that address that still stands."""
        now = self.clock.now()
        found: Sequence[Invitation] = ()
        page = await self.tenancy.invitations(tenant.tenant, _PAGE)
        while page:
            found = [
                *found,
                *(
                    one
                    for one in page
                    if one.email == email and one.status(now) is InvitationStatus.PENDING and is_backed(one, tenant)
                ),
            ]
            page = await self.tenancy.invitations(tenant.tenant, _PAGE, page[-1].invitation_id)
        return found[-1] if found else None


def _verified_email(provider: IdentityProvider, identity: ExternalIdentity) -> str:
    """Return the address that the provider vouches for, in its one spelling. Raises: NotAdmittedError."""
    if identity.email is None or not identity.email_is_verified:
        raise NotAdmittedError(NO_VERIFIED_EMAIL)
    try:
        email = normalised_email(identity.email)
    except ValueError:
        raise NotAdmittedError(NO_VERIFIED_EMAIL) from None
    if email.rpartition("@")[2] not in provider.email_domains:
        raise NotAdmittedError(OTHER_DOMAIN)
    return email
