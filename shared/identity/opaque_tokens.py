"""Tokens that say where their record stands, and prove it by a secret (T2): `<kind>_<tenant>.<record>.<secret>`.

The first two parts lead to one key of one table, so looking a token up is one strongly consistent read. The secret has
256 random bits, so its plain SHA-256 is all that is stored: there is nothing to guess, and nothing to slow down for.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

from shared.identity.tokens import TENANT_PATTERN
from shared.kernel.ids import TenantId

_SECRET_BYTES: Final = 32
_RECORD: Final = r"[0-9a-z]{26}"
_RANDOM: Final = r"[A-Za-z0-9_-]{43}"


@dataclass(frozen=True, slots=True)
class OpaqueToken:
    """A token in parts. `record` is the record's id without its prefix: 26 digits; `secret` is shown once."""

    kind: str
    tenant: TenantId
    record: str
    secret: str

    def __str__(self) -> str:
        return f"{self.kind}_{self.tenant}.{self.record}.{self.secret}"

    def __repr__(self) -> str:
        return f"OpaqueToken({self.kind}_{self.tenant}.{self.record}.…)"

    @property
    def secret_hash(self) -> str:
        """The SHA-256 of the secret, in hex."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def matches(self, secret_hash: str) -> bool:
        """Answer, in the same time for every wrong one, whether `secret_hash` is that of this token's secret."""
        return hmac.compare_digest(self.secret_hash, secret_hash)


def new_opaque_token(kind: str, tenant: TenantId, record_id: str) -> OpaqueToken:
    """Return a token with a fresh secret; `record_id` may carry its prefix (`inv_…`)."""
    return OpaqueToken(kind, tenant, record_id.rpartition("_")[2], secrets.token_urlsafe(_SECRET_BYTES))


def read_opaque_token(kind: str, text: str) -> OpaqueToken | None:
    """Take a token of that kind apart; None for anything that is not of its form."""
    found = re.fullmatch(rf"{kind}_({TENANT_PATTERN.pattern})\.({_RECORD})\.({_RANDOM})", text)
    return None if found is None else OpaqueToken(kind, TenantId(found[1]), found[2], found[3])
