"""Who sends a request without credentials, as far as repetitions are concerned: whoever knows the same things."""

import hashlib
from dataclasses import dataclass
from typing import Final

from shared.kernel.ids import TenantId, UserId
from shared.tenancy.models import Invitation

_NO_TENANT_YET: Final = TenantId("sign-ups")
"""Where requests are remembered of people who have no organisation; the ids of organisations begin with `tn-`."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A requester without credentials; `user` is a hash of what tells them from others."""

    tenant: TenantId
    user: UserId


def stranger_of_email(email: str) -> Stranger:
    """Return who signs up with that address."""
    return Stranger(_NO_TENANT_YET, UserId(hashlib.sha256(email.encode()).hexdigest()))


def stranger_of_invitation(invitation: Invitation) -> Stranger:
    """Return who holds that invitation."""
    return Stranger(invitation.tenant, UserId(invitation.invitation_id))
