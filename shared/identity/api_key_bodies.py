"""API keys as callers ask for them and as the API describes them (T2)."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field, model_validator

from shared.identity.api_keys import SCOPES, ApiKey, ApiKeyStatus, Scope
from shared.identity.opaque_tokens import OpaqueToken
from shared.identity.permissions import Permission
from shared.kernel.bodies import Description, Label, Moment, Request
from shared.kernel.ids import ApiKeyId, UserId, WorkspaceId
from shared.kernel.pages import PageToken

MOST_WORKSPACES: Final = 50


class CreateApiKeyRequest(Request):
    """A new key. What it may do is said by `scope` or, one by one, by `permissions`; it ends after 90 days by default.

    Without `workspaces` it reaches whatever its creator reaches when it is used.
    """

    name: Label
    scope: Scope | None = None
    permissions: Annotated[list[Permission], Field(min_length=1, max_length=len(Permission))] | None = None
    workspaces: Annotated[list[WorkspaceId], Field(min_length=1, max_length=MOST_WORKSPACES)] | None = None
    expires_at: Moment | None = None

    @model_validator(mode="after")
    def _says_once_what_it_may_do(self) -> "CreateApiKeyRequest":
        if (self.scope is None) == (self.permissions is None):
            raise ValueError("name either a scope or permissions")
        return self

    def wanted_permissions(self) -> frozenset[Permission]:
        return frozenset(self.permissions or ()) if self.scope is None else SCOPES[self.scope]

    def wanted_workspaces(self) -> frozenset[WorkspaceId] | None:
        return None if self.workspaces is None else frozenset(self.workspaces)


class ApiKeyDescription(Description):
    """A key, without what would let anybody use it. `last_used_at` is right to a minute."""

    id: ApiKeyId
    name: str
    user: UserId
    permissions: list[Permission]
    workspaces: list[WorkspaceId] | None
    status: ApiKeyStatus
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey, now: datetime) -> "ApiKeyDescription":
        return cls(
            id=key.key_id,
            name=key.name,
            user=key.user,
            permissions=sorted(key.permissions),
            workspaces=None if key.workspaces is None else sorted(key.workspaces),
            status=key.status(now),
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
        )


class ApiKeyList(Description):
    """One page; with `next_page_token` there may be more."""

    items: list[ApiKeyDescription]
    next_page_token: PageToken | None


class CreatedApiKey(Description):
    """A key at its birth. `api_key` is what a machine sends as its bearer; it is shown here and never again."""

    key: ApiKeyDescription
    api_key: str

    @classmethod
    def of(cls, key: ApiKey, token: OpaqueToken) -> "CreatedApiKey":
        return cls(key=ApiKeyDescription.of(key, key.created_at), api_key=str(token))
