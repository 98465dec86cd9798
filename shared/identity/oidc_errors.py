"""What can be refused about external sign-in. Codes are part of the API."""

from typing import ClassVar, Final

from shared.kernel.errors import Kind, TesseraError


class IdentityProviderNotFoundError(TesseraError):
    """The organisation has no such provider; an organisation that does not exist has none, too."""

    code: ClassVar[str] = "identity-provider-not-found"
    kind: ClassVar[Kind] = Kind.MISSING

    def __init__(self) -> None:
        super().__init__("There is no such identity provider. list_sign_in_methods names those of an organisation.")


class IdentityProviderLimitError(TesseraError):
    """The organisation has as many providers as it may have."""

    code: ClassVar[str] = "identity-provider-limit"
    kind: ClassVar[Kind] = Kind.CONFLICT


class UnfitIdentityProviderError(TesseraError):
    """The provider, or what was said about it, does not fit; the message says what to change."""

    code: ClassVar[str] = "unfit-identity-provider"
    kind: ClassVar[Kind] = Kind.INVALID


class IdentityProviderUnreachableError(TesseraError):
    """The provider does not answer as OpenID Connect says, so nobody can sign in through it now."""

    code: ClassVar[str] = "identity-provider-unreachable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class UnregisteredRedirectError(TesseraError):
    """The redirect address is none of those that are registered at the connection, compared letter by letter."""

    code: ClassVar[str] = "unregistered-redirect"
    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(self) -> None:
        super().__init__("Send one of the redirect addresses that are registered at this identity provider.")


class UnknownSignInError(TesseraError):
    """No sign-in under way has this state and this binding: unknown, completed before, expired, or not the caller's."""

    code: ClassVar[str] = "unknown-sign-in"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("This sign-in is not under way, or not here. Start a new one.")


class RefusedSignInError(TesseraError):
    """What came back from the provider is not beyond doubt; `reason` (in facts) says where it failed."""

    code: ClassVar[str] = "refused-sign-in"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED

    def __init__(self, reason: str) -> None:
        super().__init__("The identity provider's answer was refused. Start a new sign-in.", reason=reason)


class NotAdmittedError(TesseraError):
    """The person is who they say, and does not belong to the organisation."""

    code: ClassVar[str] = "not-a-member"
    kind: ClassVar[Kind] = Kind.FORBIDDEN

    def __init__(self, reason: str) -> None:
        super().__init__(_NOT_ADMITTED[reason], reason=reason)


NOT_INVITED: Final = "not-invited"
NO_VERIFIED_EMAIL: Final = "no-verified-email"
OTHER_DOMAIN: Final = "other-domain"
REMOVED: Final = "removed"
SUSPENDED: Final = "suspended"
LINKED_TO_ANOTHER: Final = "linked-to-another"

_NOT_ADMITTED: Final = {
    NOT_INVITED: "You are not a member of this organisation. Ask an owner for an invitation.",
    NO_VERIFIED_EMAIL: "The identity provider does not vouch for an e-mail address of yours. Ask its administrator.",
    OTHER_DOMAIN: "This organisation takes in addresses of other domains only. Ask an owner for an invitation.",
    REMOVED: "You are no longer a member of this organisation. Ask an owner for an invitation.",
    LINKED_TO_ANOTHER: "A member of this address signed in as somebody else before. Ask an owner to remove that member "
    "and to invite you.",
    SUSPENDED: "This organisation is suspended. Ask its owner.",
}
