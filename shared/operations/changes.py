"""What an operation behind a table's stream is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TableChange:
    """One change of one item, as a table's stream tells it; images are plain Python values."""

    sequence: str
    kind: str
    keys: Mapping[str, Any]
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
