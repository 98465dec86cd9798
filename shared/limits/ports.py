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
        LimitsCrowdedError, and nothing is taken, when too many of the tenant's requests write the same limit at once.
        """
        ...

    async def settle(self, tenant: TenantId, settlements: Sequence[Settlement]) -> None:
        """Correct what was reserved in windows to what was used. Raises: LimitsUnavailableError."""
        ...
