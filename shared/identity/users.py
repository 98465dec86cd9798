"""People: one account per e-mail address, whatever organisations they belong to (T1, T2)."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar, Final, Protocol

from pydantic import AfterValidator, StringConstraints, WithJsonSchema

from shared.identity.permissions import Role
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId, UserId

MAX_EMAIL_LENGTH: Final = 254

_EMAIL: Final = re.compile(
    r"[a-z0-9!$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!$%&'*+/=?^_`{|}~-]+)*"
    r"@[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+"
)
_MAX_LOCAL_PART: Final = 64


def normalised_email(text: str) -> str:
    """Return the one spelling of an address: without spaces around it, in lower case.

    ASCII only, so that no two addresses look alike or fall together when their case is folded; a domain in another
    script has an ASCII form. Raises: ValueError for what is no address.
    """
    email = text.strip()
    if not email.isascii() or len(email) > MAX_EMAIL_LENGTH:
        raise ValueError("is an e-mail address of at most 254 ASCII characters")
    email = email.lower()
    if _EMAIL.fullmatch(email) is None or email.index("@") > _MAX_LOCAL_PART:
        raise ValueError("is an e-mail address such as name@company.example")
    return email


EmailAddress = Annotated[
    str,
    StringConstraints(max_length=MAX_EMAIL_LENGTH),
    AfterValidator(normalised_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": MAX_EMAIL_LENGTH}),
]


@dataclass(frozen=True, slots=True)
class User:
    """An account. `email` is in its one spelling (`normalised_email`).

    `password_hash` is None for a user who signs in through an identity provider only. `password_version` counts the
    passwords: sessions remember theirs, so a new one ends them all at once.
    """

    user_id: UserId
    email: str
    display_name: str
    password_hash: str | None = field(repr=False)
    created_at: datetime
    password_version: int = 1


class PasswordChangedMeanwhileError(TesseraError):
    """Two changes of one password met; the first one holds."""

    code: ClassVar[str] = "password-changed-meanwhile"
    kind: ClassVar[Kind] = Kind.CONFLICT

    def __init__(self) -> None:
        super().__init__("The password was changed a moment ago. Sign in with the new one.")


class Users(Protocol):
    """Accounts that exist; reads are strongly consistent. Creating one is part of signing up or joining (tenancy)."""

    async def by_id(self, user_id: UserId) -> User | None: ...

    async def by_email(self, email: str) -> User | None:
        """Return whose address that is; `email` is in its one spelling."""
        ...

    async def replace_password(self, user: User, password_hash: str) -> User:
        """Write a new password, which counts as the next version, and return the user with it.

        Raises: PasswordChangedMeanwhileError when the password is no longer the one that `user` carries.
        """
        ...

    async def rehash_password(self, user: User, password_hash: str) -> None:
        """Write the same password under another hash; sessions go on. Without effect if it was changed meanwhile."""
        ...


class Memberships(Protocol):
    """Where users belong; strongly consistent."""

    async def tenants_of(self, user_id: UserId) -> list[TenantId]:
        """Return the organisations that the user belongs to, in the order of their ids."""
        ...

    async def role_of(self, tenant: TenantId, user_id: UserId) -> Role | None:
        """Return the user's role there, None when they are no member or nobody gets in."""
        ...
