"""What limits need from outside: somewhere that all processes count together."""

from collections.abc import Sequence
from typing import Protocol

from shared.kernel.ids import TenantId
from shared.limits.admission import Admission, Demand, Settlement


class LimitStore(Protocol):
    """Where all processes count together. Time is the store's own, or kept within a second of it.

    What is not known was never used. Limits of different names, subjects or tenants are different limits.
    """

    async def admit(self, tenant: TenantId, demands: Sequence[Demand]) -> Admission:
        """Take all of `demands`, or none of them when one does not fit, however many ask at once.

        Nothing is taken without being admitted, and what was admitted and is never settled stays used.
        Raises: LimitsUnavailableError when the store does not answer; the demands may have been taken then.
        """
        ...

    async def settle(self, tenant: TenantId, settlements: Sequence[Settlement]) -> None:
        """Correct what was reserved in windows to what was used. Raises: LimitsUnavailableError."""
        ...


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
