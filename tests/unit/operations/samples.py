"""Operations that exist only for tests of the entry layer, built without files of their own."""

from collections.abc import Callable, Sequence
from typing import Any

from shared.operations.capabilities import Capability
from shared.operations.declaration import Operation, Trigger


def sample_operation(function: Callable[..., Any], trigger: Trigger, uses: Sequence[Capability] = ()) -> Operation:
    """Declare `function` as if it stood in a file of its own."""
    return Operation(
        id=function.__name__,
        area="samples",
        trigger=trigger,
        function=function,
        uses=tuple(uses),
        memory_mb=256,
        timeout_s=5,
    )
