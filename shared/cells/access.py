"""A tenant's records, wherever they are at the moment: no request fails because the tenant is being moved (T6)."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from shared.cells.errors import PlacementBusyError, PlacementNotFoundError
from shared.cells.gates import FIRST_EPOCH, Gate, GateRole, StaleEpochError
from shared.cells.placements import Move, MoveState, Placement
from shared.cells.ports import Cells, CellUnavailableError, PlacementStore, Record
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId

T = TypeVar("T")

TRIES: Final = 16
"""More than the gates of two whole moves could refuse."""

REMEMBERED: Final = 10_000

_MIRRORED: Final = frozenset({MoveState.COPYING, MoveState.DUAL_READ, MoveState.VERIFIED})
_COMPARED: Final = frozenset({MoveState.DUAL_READ, MoveState.VERIFIED})


class TenantRecords:
    """Reads and writes records in the cells where a tenant is.

    Placements are remembered without a time limit: a cell refuses whoever believes in an old one, and then the record
    is read again. A write is acknowledged when the cell that decides has it. Passing it on to the target of a move
    may fail, since the move does not end before the target has everything that the source has.
    """

    def __init__(self, placements: PlacementStore, cells: Cells, clock: Clock) -> None:
        self._placements = placements
        self._cells = cells
        self._clock = clock
        self._known: dict[TenantId, Placement] = {}

    async def read(self, tenant: TenantId, key: str) -> Record | None:
        """Return the newest version of a record, also when it says that the record was deleted; None if it never was.

        Raises: PlacementNotFoundError, PlacementBusyError, CellUnavailableError.
        """
        return await self._where_it_is(tenant, lambda placement: self._read(placement, key))

    async def write(self, tenant: TenantId, key: str, value: bytes | None, seen: int) -> Record:
        """Write the version that follows version `seen` (0: none) and return it; a `value` of None deletes.

        Raises: VersionConflictError when another version is there; PlacementNotFoundError, PlacementBusyError,
        CellUnavailableError.
        """
        record = Record(key, seen + 1, value)
        await self._where_it_is(tenant, lambda placement: self._write(placement, record))
        return record

    async def _read(self, placement: Placement, key: str) -> Record | None:
        move = placement.under_way
        if move is not None and move.state is MoveState.SWITCHED:
            return await self._newest(placement, move, key)
        cell = self._cells.of(placement.cell)
        record = (await cell.read(placement.tenant, [key], placement.epoch)).get(key)
        if record is not None and move is not None and move.state in _COMPARED:
            await self._pass_on(placement, move, record)
        return record

    async def _write(self, placement: Placement, record: Record) -> None:
        move = placement.under_way
        if move is not None and move.state is MoveState.SWITCHED:
            await self._newest(placement, move, record.key)
        await self._cells.of(placement.cell).write(placement.tenant, record, placement.epoch)
        if move is not None and move.state in _MIRRORED:
            await self._pass_on(placement, move, record)

    async def _newest(self, placement: Placement, move: Move, key: str) -> Record | None:
        """Return the newer of both cells' records; when it is the source's, the target has it afterwards."""
        # The source first: if the target still answers after it, the source was not erased before it.
        epoch = placement.epoch
        old = (await self._cells.of(move.source).read(placement.tenant, [key], epoch)).get(key)
        target = self._cells.of(move.target)
        new = (await target.read(placement.tenant, [key], epoch)).get(key)
        if old is not None and (new is None or new.version < old.version):
            await target.absorb(placement.tenant, [old], epoch)
            return old
        return new

    async def _pass_on(self, placement: Placement, move: Move, record: Record) -> None:
        """Give the target what the source has, if it does not have it."""
        target, epoch = self._cells.of(move.target), move.following.epoch
        try:
            known = (await target.entries_of(placement.tenant, [record.key], epoch)).get(record.key)
            if known is None or known.version < record.version:
                await target.absorb(placement.tenant, [record], epoch)
        except (StaleEpochError, CellUnavailableError):
            return

    async def _where_it_is(self, tenant: TenantId, access: Callable[[Placement], Awaitable[T]]) -> T:
        placement = self._known.get(tenant) or await self._look(tenant)
        for _ in range(TRIES):
            try:
                return await access(placement)
            except StaleEpochError as refusal:
                placement = await self._look_again(tenant, refusal.gate)
        raise PlacementBusyError

    async def _look(self, tenant: TenantId) -> Placement:
        placement = await self._placements.placement(tenant)
        if placement is None:
            raise PlacementNotFoundError
        return self._remember(placement)

    async def _look_again(self, tenant: TenantId, gate: Gate) -> Placement:
        placement = await self._look(tenant)
        if gate.epoch == 0 and placement.epoch == FIRST_EPOCH:
            # Whoever placed the tenant had not come to open its gate.
            await self._cells.of(placement.cell).set_gate(tenant, Gate(FIRST_EPOCH, GateRole.OPEN))
        return self._remember(placement.as_told_by(gate, self._clock.now()))

    def _remember(self, placement: Placement) -> Placement:
        self._known.pop(placement.tenant, None)
        self._known[placement.tenant] = placement
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return placement
