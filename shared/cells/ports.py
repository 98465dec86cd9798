"""What cells need from outside. The tenant comes first everywhere (invariant 4)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from shared.cells.gates import Gate
from shared.cells.models import CellId, CellRegistry
from shared.cells.placements import Placement
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a tenant in a cell. Versions count from 1; a `value` of None means that it was deleted."""

    key: str
    version: int
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a comparison sees of a record: `digest` is made of what is stored, each time anew."""

    key: str
    version: int
    digest: str


class VersionConflictError(TesseraError):
    """The record was changed by somebody else at the same time."""

    code: ClassVar[str] = "changed-meanwhile"
    kind: ClassVar[Kind] = Kind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This was changed meanwhile. Read it again, then repeat the change.")


class CellUnavailableError(TesseraError):
    """The cell did not answer; what was asked of it may or may not have happened."""

    code: ClassVar[str] = "cell-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("The place of this organisation's data does not answer. Try again shortly.")


class CellRegistryStore(Protocol):
    """The one record of all cells."""

    async def registry(self) -> CellRegistry:
        """Return the record, strongly consistent; an empty registry of revision 0 before there is one."""
        ...

    async def replace(self, registry: CellRegistry) -> bool:
        """Write `registry` with the next revision if the stored one still has its revision; answer whether it had."""
        ...


class AskedCellRegistryStore(CellRegistryStore, Protocol):
    """The same record, for those who are asked to change it."""

    async def change(self, registry: CellRegistry, cell_id: CellId) -> bool:
        """Do as `replace`, for somebody who asked for this cell's change, which is told of in their log."""
        ...


class Everybody(Protocol):
    """All tenants of the deployment, placed or not."""

    def tenants(self) -> AsyncIterator[TenantId]:
        """Yield every tenant; the newest may be missing."""
        ...


class PlacementStore(Protocol):
    """Where tenants are. Reads are strongly consistent; how many each cell holds is kept with the same writes."""

    async def placement(self, tenant: TenantId) -> Placement | None: ...

    async def held(self) -> Mapping[CellId, int]:
        """Return how many tenants take room in each cell; a cell that never held one is absent."""
        ...

    async def add(self, placement: Placement, at_most: int) -> bool:
        """Write a tenant's first placement; its cell holds `at_most` tenants after it.

        Answer False, and change nothing, when the tenant is placed already, the cell holds as many, or others kept
        writing the same counts.
        """
        ...

    async def replace(self, before: Placement, after: Placement) -> bool:
        """Write `after`, with the next revision, if the stored one still has the revision of `before`.

        Answer False, and change nothing, when it does not, or others kept writing the counts of these cells, which
        change with it.
        """
        ...

    async def tenants_in(self, cell_id: CellId, limit: int, after: TenantId | None = None) -> list[TenantId]:
        """Return up to `limit` tenants that take room in the cell, in the order of their ids, after `after`."""
        ...

    async def under_way(self, limit: int, after: TenantId | None = None) -> list[TenantId]:
        """Return up to `limit` tenants whose move is not finished, in the order of their ids, after `after`."""
        ...


class GateStore(Protocol):
    """The gates of cells that cannot look at one in the same step as at a record. Reads are strongly consistent."""

    async def gate(self, tenant: TenantId, cell_id: CellId) -> Gate:
        """Return the gate; one of epoch 0 when none was ever set."""
        ...

    async def set_gate(self, tenant: TenantId, cell_id: CellId, gate: Gate) -> Gate:
        """Put `gate` in place unless the one there is of the same epoch or a later one; return what is there then."""
        ...


class Gated(Protocol):
    """One cell's gates."""

    async def set_gate(self, tenant: TenantId, gate: Gate) -> Gate:
        """Put `gate` in place unless the one there is of the same epoch or a later one; return what is there then."""
        ...


class GatedCells(Protocol):
    """The cells' gates, by cell."""

    def of(self, cell_id: CellId) -> Gated: ...


class CellContents(Gated, Protocol):
    """What a move asks of one cell that holds records of tenants, behind a gate per tenant.

    Looking at the gate and doing what is asked are one step. Every access names the epoch that it believes in.
    Raises, from all that take an epoch: StaleEpochError when the gate is at another one or does not allow the access;
    CellUnavailableError.
    """

    async def count(self, tenant: TenantId, epoch: int) -> int:
        """Return how many records the tenant has here; a guess is enough."""
        ...

    async def read(self, tenant: TenantId, keys: Sequence[str], epoch: int) -> dict[str, Record]:
        """Return the records of `keys`, deleted ones too; what never was is absent."""
        ...

    async def absorb(self, tenant: TenantId, records: Sequence[Record], epoch: int) -> None:
        """Write those of `records` that are not older than what is there; their versions come from another cell."""
        ...

    async def entries(self, tenant: TenantId, after: str, limit: int, epoch: int) -> list[Entry]:
        """Return up to `limit` entries of keys after `after` (empty: from the start), in the order of keys."""
        ...

    async def entries_of(self, tenant: TenantId, keys: Sequence[str], epoch: int) -> dict[str, Entry]:
        """Return the entries of `keys`; what never was is absent."""
        ...

    async def remove(self, tenant: TenantId, keys: Sequence[str], epoch: int) -> None:
        """Erase records; the gate must be HANDED_OVER or SHUT."""
        ...

    async def settle(self, tenant: TenantId, epoch: int) -> None:
        """Take away what was deleted while the tenant moved and came back all the same; the move ends after it."""
        ...

    async def vacate(self, tenant: TenantId, epoch: int) -> None:
        """Give back what was kept for this tenant alone; all its records are erased."""
        ...


class MovableCells(Protocol):
    """The cells' contents, by cell."""

    def of(self, cell_id: CellId) -> CellContents: ...


class CellRecords(CellContents, Protocol):
    """The records of tenants in one cell that looks at its gates itself, and so can say which version is the next."""

    async def write(self, tenant: TenantId, record: Record, epoch: int) -> None:
        """Write a record whose version follows the one that is there. Raises: VersionConflictError when it does not."""
        ...


class Cells(Protocol):
    """The cells' records, by cell."""

    def of(self, cell_id: CellId) -> CellRecords: ...
