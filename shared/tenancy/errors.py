"""What can be refused about organisations and who belongs to them. Codes are part of the API."""

from typing import ClassVar

from shared.kernel.errors import Kind, TesseraError


class ChangedMeanwhileError(TesseraError):
    """What a change relied on was changed by somebody else at the same time."""

    code: ClassVar[str] = "changed-meanwhile"
    kind: ClassVar[Kind] = Kind.CONFLICT


class TenantNotFoundError(TesseraError):
    code: ClassVar[str] = "tenant-not-found"
    kind: ClassVar[Kind] = Kind.MISSING


class WorkspaceNotFoundError(TesseraError):
    """No such workspace in this tenant, or none that the caller reaches."""

    code: ClassVar[str] = "workspace-not-found"
    kind: ClassVar[Kind] = Kind.MISSING


class MemberNotFoundError(TesseraError):
    code: ClassVar[str] = "member-not-found"
    kind: ClassVar[Kind] = Kind.MISSING


class InvitationNotFoundError(TesseraError):
    code: ClassVar[str] = "invitation-not-found"
    kind: ClassVar[Kind] = Kind.MISSING


class OverrideNotFoundError(TesseraError):
    code: ClassVar[str] = "override-not-found"
    kind: ClassVar[Kind] = Kind.MISSING


class InvalidInvitationError(TesseraError):
    """The token lets nobody in: the same whether it is made up, expired, revoked or used."""

    code: ClassVar[str] = "invalid-invitation"
    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(self) -> None:
        super().__init__("The invitation is not valid, or not any more. Ask for a new one.")


class InvitationClosedError(TesseraError):
    """It was accepted, so there is nothing to revoke: remove the member instead."""

    code: ClassVar[str] = "invitation-closed"
    kind: ClassVar[Kind] = Kind.CONFLICT


class EmailTakenError(TesseraError):
    """There is an account of this address already."""

    code: ClassVar[str] = "email-taken"
    kind: ClassVar[Kind] = Kind.CONFLICT


class OtherPasswordError(TesseraError):
    """The invited address has an account, and this is not its password."""

    code: ClassVar[str] = "account-has-other-password"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("There is an account of this address. Accept with the password that it has.")


class AlreadyMemberError(TesseraError):
    code: ClassVar[str] = "already-member"
    kind: ClassVar[Kind] = Kind.CONFLICT


class LastOwnerError(TesseraError):
    """An organisation always has an owner."""

    code: ClassVar[str] = "last-owner"
    kind: ClassVar[Kind] = Kind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This is the organisation's last owner. Make another member an owner first.")


class GrantBeyondCallerError(TesseraError):
    """Nobody gives, changes or takes away more than their own credentials allow."""

    code: ClassVar[str] = "grant-beyond-caller"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


class OwnerLimitedError(TesseraError):
    """Owners reach all workspaces."""

    code: ClassVar[str] = "owner-limited"
    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(self) -> None:
        super().__init__("An owner reaches every workspace. Change the role, or leave the workspaces out.")


class WorkspaceInUseError(TesseraError):
    """It has knowledge bases, or is the one for whatever names none."""

    code: ClassVar[str] = "workspace-in-use"
    kind: ClassVar[Kind] = Kind.CONFLICT


class UnknownFigureError(TesseraError):
    """Plans have no figure of that name."""

    code: ClassVar[str] = "unknown-figure"
    kind: ClassVar[Kind] = Kind.MISSING


class InvalidOverrideError(TesseraError):
    """The override would never hold."""

    code: ClassVar[str] = "invalid-override"
    kind: ClassVar[Kind] = Kind.INVALID


class SignUpClosedError(TesseraError):
    """This deployment creates organisations for people; nobody does it alone."""

    code: ClassVar[str] = "sign-up-closed"
    kind: ClassVar[Kind] = Kind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("New organisations come by invitation here. Ask whoever runs this deployment for one.")
