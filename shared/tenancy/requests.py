"""What callers may ask of organisations. Few bodies carry a role or a plan; their routes say so (`sets`)."""

from typing import Annotated, Final, Literal

from pydantic import Field, StrictInt, StringConstraints

from shared.identity.permissions import Role
from shared.identity.tokens import TENANT_PATTERN, USER_PATTERN
from shared.identity.users import EmailAddress
from shared.kernel.bodies import Label, Moment, Request
from shared.kernel.ids import TenantId, UserId, WorkspaceId
from shared.tenancy.joining import Person
from shared.tenancy.plans import PlanName

MOST_WORKSPACES: Final = 30
"""How many workspaces one member, invitation or key may name; whoever needs more is not limited."""
LARGEST_FIGURE: Final = 10**15

TenantPath = Annotated[TenantId, StringConstraints(pattern=rf"^{TENANT_PATTERN.pattern}$")]
UserPath = Annotated[UserId, StringConstraints(pattern=rf"^{USER_PATTERN.pattern}$")]
FigurePath = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")]

Password = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
"""Any password that anybody may have; what a new one must be is a rule of its own."""
MemberRole = Literal[Role.OWNER, Role.MAINTAINER, Role.REVIEWER, Role.VIEWER]
"""The roles that a member of an ordinary organisation can have: never operator."""
WorkspaceIds = Annotated[frozenset[WorkspaceId], Field(min_length=1, max_length=MOST_WORKSPACES)]


class SignUpRequest(Request):
    """A new organisation and the account of its first owner."""

    organisation_name: Label
    email: EmailAddress
    password: Password
    display_name: Label

    def to_person(self) -> Person:
        return Person(self.email, self.display_name, self.password)


class CreateTenantRequest(Request):
    """A new organisation, and who is invited to own it."""

    organisation_name: Label
    owner_email: EmailAddress
    plan: PlanName = PlanName.STARTER


class UpdateTenantRequest(Request):
    """What to change of an organisation."""

    name: Label


class SetPlanRequest(Request):
    """Which plan an organisation is on from now on, in its latest version."""

    plan: PlanName


class OverrideFigureRequest(Request):
    """A value in place of the plan's, until a moment."""

    value: StrictInt = Field(ge=1, le=LARGEST_FIGURE)
    expires_at: Moment


class AppointOperatorRequest(Request):
    """Who runs the deployment from now on."""

    email: EmailAddress


class DismissOperatorRequest(Request):
    """Who runs it no more."""

    email: EmailAddress


class CreateWorkspaceRequest(Request):
    """A new workspace."""

    name: Label


class UpdateWorkspaceRequest(Request):
    """What to change of a workspace."""

    name: Label


class InviteMemberRequest(Request):
    """Who is asked to join, as what, and limited to which workspaces; none named means all."""

    email: EmailAddress
    role: MemberRole
    workspaces: WorkspaceIds | None = None


class ChangeMemberRoleRequest(Request):
    """The member's role from now on."""

    role: MemberRole


class ChangeMemberWorkspacesRequest(Request):
    """The workspaces that the member is limited to from now on; null for all."""

    workspaces: WorkspaceIds | None


class TransferOwnershipRequest(Request):
    """Which member becomes the owner in the caller's place."""

    user_id: UserPath


class AcceptInvitationRequest(Request):
    """An invitation's token, and a password: a new one for a new account, else the one that the account has."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    display_name: Label | None = None
    password: Password
