"""Organisations, workspaces, members and invitations as the API describes them (T1)."""

from dataclasses import asdict
from datetime import datetime

from shared.identity.opaque_tokens import OpaqueToken
from shared.identity.permissions import Role
from shared.kernel.bodies import Description
from shared.kernel.ids import InvitationId, TenantId, UserId, WorkspaceId
from shared.tenancy.figures import FIGURE_NAMES, effective_figures
from shared.tenancy.models import (
    Invitation,
    InvitationStatus,
    Member,
    Tenant,
    TenantStatus,
    Workspace,
    default_workspace_of,
)


class OverrideDescription(Description):
    """One figure in place of the plan's, as long as it holds."""

    value: int
    expires_at: datetime


class TenantDescription(Description):
    """An organisation. `figures` are its limits now: those of its plan, with each override that holds."""

    id: TenantId
    name: str
    status: TenantStatus
    plan: str
    plan_version: int
    figures: dict[str, int]
    overrides: dict[str, OverrideDescription]
    default_workspace: WorkspaceId
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, tenant: Tenant, now: datetime) -> "TenantDescription":
        return cls(
            id=tenant.tenant,
            name=tenant.name,
            status=tenant.status,
            plan=tenant.plan,
            plan_version=tenant.plan_version,
            figures=asdict(effective_figures(tenant, now)),
            overrides={
                name: OverrideDescription(value=override.value, expires_at=override.expires_at)
                for name, override in tenant.overrides.items()
                if name in FIGURE_NAMES and now < override.expires_at
            },
            default_workspace=default_workspace_of(tenant.tenant),
            created_at=tenant.created_at,
            updated_at=tenant.updated_at,
        )


class WorkspaceDescription(Description):
    """A workspace; `is_default` says that it takes the knowledge bases that name none."""

    id: WorkspaceId
    name: str
    is_default: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, workspace: Workspace) -> "WorkspaceDescription":
        return cls(
            id=workspace.workspace_id,
            name=workspace.name,
            is_default=workspace.workspace_id == default_workspace_of(workspace.tenant),
            created_at=workspace.created_at,
            updated_at=workspace.updated_at,
        )


class MemberDescription(Description):
    """A member; without `workspaces` all of them are within reach."""

    user_id: UserId
    email: str
    display_name: str
    role: Role
    workspaces: list[WorkspaceId] | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, member: Member) -> "MemberDescription":
        return cls(
            user_id=member.user_id,
            email=member.email,
            display_name=member.display_name,
            role=member.role,
            workspaces=None if member.workspaces is None else sorted(member.workspaces),
            created_at=member.created_at,
            updated_at=member.updated_at,
        )


class InvitationDescription(Description):
    """An invitation and what became of it; without `workspaces` all of them will be within reach."""

    id: InvitationId
    email: str
    role: Role
    workspaces: list[WorkspaceId] | None
    status: InvitationStatus
    invited_by: UserId
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, invitation: Invitation, now: datetime) -> "InvitationDescription":
        return cls(
            id=invitation.invitation_id,
            email=invitation.email,
            role=invitation.role,
            workspaces=None if invitation.workspaces is None else sorted(invitation.workspaces),
            status=invitation.status(now),
            invited_by=invitation.invited_by,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
        )


class IssuedInvitation(Description):
    """An invitation and its token. The token is shown now and never again: hand it to whom it is for."""

    invitation: InvitationDescription
    token: str

    @classmethod
    def of(cls, invitation: Invitation, token: OpaqueToken, now: datetime) -> "IssuedInvitation":
        return cls(invitation=InvitationDescription.of(invitation, now), token=str(token))
