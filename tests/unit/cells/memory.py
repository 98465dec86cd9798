"""Cells and placements in memory, keeping the ports' promises; every call lets others go first, before and after."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime

from shared.cells.comparison import checksum_of
from shared.cells.gates import Gate, GateRole, StaleEpochError
from shared.cells.models import CellRegistry
from shared.cells.ports import CellUnavailableError, Entry, Record, VersionConflictError

ERASED = frozenset({GateRole.HANDED_OVER, GateRole.SHUT})


class Turn:
    """Awaited where another task may run, or where this one may be killed."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class StillClock:
    def now(self):
        return datetime(2026, 11, 21, 12, tzinfo=UTC)


class MemoryRegistry:
    """Implements `AskedCellRegistryStore`; `told` are the cells whose changes somebody asked for."""

    def __init__(self):
        self.stored = CellRegistry({})
        self.reads = 0
        self.told = []

    async def registry(self):
        self.reads += 1
        await Turn()
        return self.stored

    async def replace(self, registry):
        await Turn()
        if registry.revision != self.stored.revision:
            return False
        self.stored = replace(registry, revision=registry.revision + 1)
        await Turn()
        return True

    async def change(self, registry, cell_id):
        if not await self.replace(registry):
            return False
        self.told.append(cell_id)
        return True


class MemoryPlacements:
    """Implements `PlacementStore`."""

    def __init__(self):
        self.records = {}

    async def placement(self, tenant):
        await Turn()
        return self.records.get(tenant)

    async def held(self):
        return Counter(cell for placement in self.records.values() for cell in placement.occupied)

    async def add(self, placement, at_most):
        await Turn()
        if placement.tenant in self.records or (await self.held())[placement.cell] >= at_most:
            return False
        self.records[placement.tenant] = replace(placement, revision=1)
        await Turn()
        return True

    async def replace(self, before, after):
        await Turn()
        if self.records[before.tenant].revision != before.revision:
            return False
        self.records[before.tenant] = replace(after, revision=before.revision + 1)
        await Turn()
        return True

    async def tenants_in(self, cell_id, limit, after=None):
        return self._some(lambda placement: cell_id in placement.occupied, limit, after)

    async def under_way(self, limit, after=None):
        return self._some(lambda placement: placement.under_way is not None, limit, after)

    def _some(self, fits, limit, after):
        found = sorted(tenant for tenant, placement in self.records.items() if fits(placement))
        return [tenant for tenant in found if after is None or tenant > after][:limit]


class MemoryCell:
    """Implements `CellRecords`. `frozen` are the checksums of what the cell held when erasing began, by epoch.

    `is_deaf` makes it refuse what is passed on to it; what is in `lost` it acknowledges and forgets.
    """

    def __init__(self):
        self.gates: defaultdict[str, Gate] = defaultdict(Gate)
        self.records: defaultdict[str, dict[str, Record]] = defaultdict(dict)
        self.frozen: dict[int, str] = {}
        self.is_deaf = False
        self.lost = set()

    async def set_gate(self, tenant, gate):
        await Turn()
        if gate.epoch > self.gates[tenant].epoch:
            self.gates[tenant] = gate
        there = self.gates[tenant]
        await Turn()
        return there

    async def read(self, tenant, keys, epoch):
        await Turn()
        self._look_at_gate(tenant, epoch)
        found = {key: self.records[tenant][key] for key in keys if key in self.records[tenant]}
        await Turn()
        return found

    async def write(self, tenant, record, epoch):
        await Turn()
        if not self._look_at_gate(tenant, epoch).takes_writes:
            raise StaleEpochError(self.gates[tenant])
        there = self.records[tenant].get(record.key)
        if record.version != (there.version if there else 0) + 1:
            raise VersionConflictError
        self.records[tenant][record.key] = record
        await Turn()

    async def absorb(self, tenant, records, epoch):
        await Turn()
        if self.is_deaf:
            raise CellUnavailableError
        if not self._look_at_gate(tenant, epoch).takes_writes:
            raise StaleEpochError(self.gates[tenant])
        for record in records:
            there = self.records[tenant].get(record.key)
            if record.key not in self.lost and (there is None or there.version <= record.version):
                self.records[tenant][record.key] = record
        await Turn()

    async def count(self, tenant, epoch):
        self._look_at_gate(tenant, epoch)
        return len(self.records[tenant])

    async def settle(self, tenant, epoch):
        """Nothing deleted comes back: its record says that it was."""
        self._look_at_gate(tenant, epoch)

    async def vacate(self, tenant, epoch):
        self._look_at_gate(tenant, epoch)
        assert self.records[tenant] == {}

    async def entries(self, tenant, after, limit, epoch):
        await Turn()
        self._look_at_gate(tenant, epoch)
        found = [self._entry(tenant, key) for key in sorted(self.records[tenant]) if key > after][:limit]
        await Turn()
        return found

    async def entries_of(self, tenant, keys, epoch):
        await Turn()
        self._look_at_gate(tenant, epoch)
        found = {key: self._entry(tenant, key) for key in keys if key in self.records[tenant]}
        await Turn()
        return found

    async def remove(self, tenant, keys, epoch):
        await Turn()
        if self._look_at_gate(tenant, epoch).role not in ERASED:
            raise StaleEpochError(self.gates[tenant])
        self.frozen.setdefault(epoch, self.checksum(tenant))
        for key in keys:
            self.records[tenant].pop(key, None)
        await Turn()

    def checksum(self, tenant):
        return checksum_of([self._entry(tenant, key) for key in sorted(self.records[tenant])])

    def _entry(self, tenant, key):
        record = self.records[tenant][key]
        return Entry(key, record.version, hashlib.sha256(repr(record.value).encode()).hexdigest())

    def _look_at_gate(self, tenant, epoch):
        gate = self.gates[tenant]
        if gate.epoch != epoch:
            raise StaleEpochError(gate)
        return gate


class MemoryCells:
    """Implements `Cells`: makes a cell when it is first asked for."""

    def __init__(self):
        self.cells = defaultdict(MemoryCell)

    def of(self, cell_id):
        return self.cells[cell_id]


def finish(task):
    """Run a task to its end, alone; return what it returns."""
    try:
        while True:
            task.send(None)
    except StopIteration as end:
        return end.value


def step(task):
    """Let a task go on to its next turn; answer whether it has one."""
    try:
        task.send(None)
    except StopIteration:
        return False
    return True
