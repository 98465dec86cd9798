"""Keys of the identity table, all of them. What belongs to a tenant stands in that tenant's partition (invariant 4).

    pk                      sk
    t#<tenant>              tenant                  the organisation: plan, owners, overrides
    t#<tenant>              workspace#<workspace>   a workspace
    t#<tenant>              member#<user>           who belongs to it, and as what
    t#<tenant>              former#<hash>           that a member of that address went, or was made to go
    t#<tenant>              invitation#<id>         who was asked to join
    t#<tenant>              key#<id>                a machine's API key
    t#<tenant>              provider#<id>           an external identity provider
    t#<tenant>              link#<provider>#<hash>  who a subject of that provider is
    t#<tenant>              linked#<provider>#<user>  that somebody is one of its subjects
    t#<tenant>              event#<id>              something about security that an owner should know
    t#<tenant>              session#<user>#<id>     a family of refresh tokens
    user#<user>             user                    a person, whatever organisations they belong to
    user#<user>             membership#<tenant>     where they belong
    email#<address>         email                   whose address it is: one account each
    email#<address>         guesses                 wrong passwords for it, whether anybody has it or not
    keys                    jwks                    the public halves of the signing keys
    oidc#<state hash>       sign-in                 an external sign-in under way

A key prefix ends with its separator, so no id can reach into another's range. Ids hold no `#`; an address may, and
stands last.
"""

import hashlib

from shared.adapters.dynamodb.keys import Key, tenant_partition
from shared.kernel.ids import (
    ApiKeyId,
    IdentityProviderId,
    InvitationId,
    SessionId,
    TenantId,
    UserId,
    WorkspaceId,
)

WORKSPACE_PREFIX = "workspace#"
MEMBER_PREFIX = "member#"
INVITATION_PREFIX = "invitation#"
API_KEY_PREFIX = "key#"
PROVIDER_PREFIX = "provider#"
EVENT_PREFIX = "event#"
SESSION_PREFIX = "session#"
MEMBERSHIP_PREFIX = "membership#"


def tenant_key(tenant: TenantId) -> Key:
    return _key(tenant_partition(tenant), "tenant")


def workspace_key(tenant: TenantId, workspace_id: WorkspaceId | str) -> Key:
    return _key(tenant_partition(tenant), f"{WORKSPACE_PREFIX}{workspace_id}")


def member_key(tenant: TenantId, user_id: UserId | str) -> Key:
    return _key(tenant_partition(tenant), f"{MEMBER_PREFIX}{user_id}")


def former_key(tenant: TenantId, email: str) -> Key:
    # A hash, for whoever has gone should not be read here.
    return _key(tenant_partition(tenant), f"former#{hashlib.sha256(email.encode()).hexdigest()}")


def invitation_key(tenant: TenantId, invitation_id: InvitationId | str) -> Key:
    return _key(tenant_partition(tenant), f"{INVITATION_PREFIX}{invitation_id}")


def api_key_key(tenant: TenantId, key_id: ApiKeyId | str) -> Key:
    return _key(tenant_partition(tenant), f"{API_KEY_PREFIX}{key_id}")


def provider_key(tenant: TenantId, provider_id: IdentityProviderId | str) -> Key:
    return _key(tenant_partition(tenant), f"{PROVIDER_PREFIX}{provider_id}")


def link_key(tenant: TenantId, provider_id: IdentityProviderId, subject: str) -> Key:
    digest = hashlib.sha256(subject.encode()).hexdigest()
    return _key(tenant_partition(tenant), f"{link_prefix(provider_id)}{digest}")


def linked_key(tenant: TenantId, provider_id: IdentityProviderId, user_id: UserId | str) -> Key:
    return _key(tenant_partition(tenant), f"{linked_prefix(provider_id)}{user_id}")


def link_prefix(provider_id: IdentityProviderId) -> str:
    return f"link#{provider_id}#"


def linked_prefix(provider_id: IdentityProviderId) -> str:
    return f"linked#{provider_id}#"


def event_key(tenant: TenantId, event_id: str) -> Key:
    return _key(tenant_partition(tenant), f"{EVENT_PREFIX}{event_id}")


def session_key(tenant: TenantId, user_id: UserId, session: SessionId) -> Key:
    return _key(tenant_partition(tenant), f"{session_prefix(user_id)}{session}")


def session_prefix(user_id: UserId) -> str:
    if not user_id or "#" in user_id:
        raise ValueError("A user's id holds no '#'.")
    return f"{SESSION_PREFIX}{user_id}#"


def user_key(user_id: UserId) -> Key:
    return _key(user_partition(user_id), "user")


def membership_key(user_id: UserId, tenant: TenantId | str) -> Key:
    return _key(user_partition(user_id), f"{MEMBERSHIP_PREFIX}{tenant}")


def email_key(email: str) -> Key:
    return _key(f"email#{email}", "email")


def guesses_key(email: str) -> Key:
    return _key(f"email#{email}", "guesses")


def jwks_key() -> Key:
    return _key("keys", "jwks")


def external_sign_in_key(state_hash: str) -> Key:
    return _key(f"oidc#{state_hash}", "sign-in")


def user_partition(user_id: UserId) -> str:
    if not user_id or "#" in user_id:
        raise ValueError("A user's id holds no '#'.")
    return f"user#{user_id}"


def _key(partition: str, sort: str) -> Key:
    return {"pk": {"S": partition}, "sk": {"S": sort}}
