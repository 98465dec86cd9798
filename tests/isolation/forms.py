"""Values that have the form of somebody's and are nobody's, or that lead to somebody's in another tenant's name."""

import hashlib
import re
import secrets
from typing import Any
from uuid import uuid4

from shared.kernel.ids import encode_base32


def unknown_like(value: Any) -> Any:
    """Return what has the form of `value` and is nobody's."""
    if isinstance(value, list):
        return [unknown_like(one) for one in value]
    digits = uuid4().int
    if found := re.fullmatch(r"(kb|doc|ws|inv|key|idp)_[0-9a-z]{26}", value):
        return f"{found[1]}_{encode_base32(digits, 26)}"
    if re.search(r"(?<=tenant-|canary-)[0-9a-f]{12}", value):
        return re.sub(r"(?<=tenant-|canary-)[0-9a-f]{12}", uuid4().hex[:12], value)
    if "@" in value:
        return f"{encode_base32(digits, 26)}@{value.partition('@')[2]}"
    if re.fullmatch(r"[0-9a-f]{64}", value):
        return hashlib.sha256(uuid4().bytes).hexdigest()
    if found := re.fullmatch(r"(.*-)[0-9a-f]{12}", value):
        return f"{found[1]}{uuid4().hex[:12]}"
    if found := re.fullmatch(r"(t[a-z]{2}_[^.]+)\.[0-9a-z]{26}\.[^.]{43}", value):
        return f"{found[1]}.{encode_base32(digits, 26)}.{secrets.token_urlsafe(32)}"
    # Random text, as states and keys of requests are.
    return re.sub(r"[0-9A-Za-z]", lambda one: _another(one[0], digits), value)


def _another(character: str, digits: int) -> str:
    alphabet = "abcdefghijklmnop" if character.isalpha() else "0123456789"
    return alphabet[(digits >> (ord(character) % 100)) % len(alphabet)]


def carried_over(token: str, tenant: str) -> str:
    """Return a token that leads to the same record and proves the same secret, in another tenant."""
    return re.sub(r"(?<=^t[a-z]{2}_)[^.]+", tenant, token)
