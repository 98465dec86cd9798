"""Operations that exist only in tests, for what no declared operation shows yet."""

from collections.abc import Sequence

from shared.operations.capabilities import Capability
from shared.operations.declaration import Operation, Trigger


def sample(operation_id: str, trigger: Trigger, uses: Sequence[Capability] = (), area: str = "samples") -> Operation:
    """Return an operation as a file of `functions/<area>` would declare it."""

    def function() -> None:
        """Stands for an operation."""

    return Operation(operation_id, area, trigger, function, tuple(uses), memory_mb=256, timeout_s=10)
