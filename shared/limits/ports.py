"""What limits need from outside: somewhere that all processes count together."""

from typing import Protocol

from shared.kernel.ids import TenantId


class Leases(Protocol):
    """Places of a tenant that at most so many holders occupy at once, each until its time runs out.

    Time is the store's own, so a holder's clock gives nobody a place too early. Both methods may be repeated.
    """

    async def acquire(self, tenant: TenantId, name: str, holder: str, limit: int, ttl_s: float) -> bool:
        """Take one of the `limit` places called `name` for `ttl_s` seconds; answer whether `holder` has one now.

        A holder that has a place keeps it and its time starts anew, also when `limit` is smaller by now. A place whose
        time ran out is free. `limit` below 1 gives no new place.

        Raises: LimitsUnavailableError when the store does not answer; whether the place was taken is not known then.
        """
        ...

    async def release(self, tenant: TenantId, name: str, holder: str) -> None:
        """Give the holder's place back; one that has none changes nothing. Raises: LimitsUnavailableError."""
        ...
