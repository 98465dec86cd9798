"""What a process remembers of tenants serves whom it works for alone, also where it served another before (T5)."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.audit.projection import AuditProjection
from shared.cells.directory import TenantDirectory
from shared.cells.models import Cell, CellId
from shared.cells.placements import Placement
from shared.kernel.ids import TenantId
from shared.kernel.tenants import TenantContextError, admitted
from shared.limits.allowance import LocalAllowance
from shared.limits.rules import per_minute
from shared.operations.tenants import within
from tests.unit.cells.memory import MemoryCells, MemoryPlacements, MemoryRegistry, StillClock, finish

ROOT = Path(__file__).resolve().parents[3]
ACME, GLOBEX = TenantId("acme"), TenantId("globex")
HOME = CellId("home")

BY_ANY_TENANT = {
    "Authenticator": "the authorizer judges credentials before anybody is worked for, and declares why",
    "CallCredentials": "whom the present call serves, as the guard says, which asked the context",
    "Census": "made anew for each run of the schedule that empties and fills cells",
    "Sealing": "a look that is under way, and asks the store; nothing is remembered of it",
    "TenantRecords": "no function has it; its cells are asked each time",
    "TenantSessions": "asked with what the guard returned, which asked the context about the same call",
}
"""Classes that keep something by tenant and do not ask for whom the invocation works, and why that is no way in."""


def memories(source: str) -> Iterator[tuple[str, bool]]:
    """Yield each class that keeps something by tenant, and whether only admitted tenants are in its type."""
    tree = ast.parse(source)
    # By names of their own, types of keys are tenants just the same.
    named = {"TenantId": False, "AdmittedTenant": True}
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(name)], value=ast.Subscript() as value)
                | ast.AnnAssign(target=ast.Name(name), value=ast.Subscript() as value)
            ):
                inside = [named[one] for one in _names(value) if one in named]
                named |= {name: all(inside)} if inside else {}
    for kind in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        for node in ast.walk(kind):
            match node:
                case ast.AnnAssign(target=target, annotation=ast.Subscript() as annotation, value=ast.expr()):
                    inside = [named[one] for one in _names(annotation) if one in named]
                    if inside and (isinstance(target, ast.Attribute) or node in kind.body):
                        yield kind.name, all(inside)


def _names(node: ast.AST) -> list[str]:
    return [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]


def test_memories_are_found_in_whatever_way_they_are_written():
    source = """
Place = tuple[TenantId, str]
class One:
    def __init__(self):
        self.known: dict[Place, int] = {}
class Two:
    known: dict[AdmittedTenant, int] = field(default_factory=dict)
class Three:
    def count(self):
        known: dict[TenantId, int] = {}
"""

    assert list(memories(source)) == [("One", False), ("Two", True)]


def test_whatever_remembers_by_tenant_asks_for_whom_the_invocation_works():
    found = [one for path in (ROOT / "shared").rglob("*.py") for one in memories(path.read_text(encoding="utf-8"))]

    assert {name for name, is_asked in found if not is_asked} == BY_ANY_TENANT.keys()
    assert len({name for name, is_asked in found if is_asked}) >= 8


def test_nobody_hears_what_the_allowance_of_another_has_left():
    allowance, bucket = LocalAllowance(), per_minute("read", 2)
    with within(GLOBEX):
        allowance.admit(GLOBEX, bucket, 0)

    with within(ACME), pytest.raises(TenantContextError):
        allowance.admit(GLOBEX, bucket, 0)

    with within(GLOBEX):
        assert allowance.admit(GLOBEX, bucket, 0).standings[0].remaining == 0


def test_nobody_hears_where_another_is_from_a_remembered_decision():
    registry, placements = MemoryRegistry(), MemoryPlacements()
    registry.stored = registry.stored.added(Cell(HOME, "eu-central-1"))
    placements.records[GLOBEX] = Placement(GLOBEX, HOME, revision=1)
    directory = TenantDirectory(registry, placements, MemoryCells(), StillClock(), {HOME})
    with within(GLOBEX):
        assert finish(directory.route(GLOBEX, "eu-central-1")).data == HOME

    with within(ACME), pytest.raises(TenantContextError):
        finish(directory.route(GLOBEX, "eu-central-1"))


def test_nobody_hears_how_far_the_log_of_another_is_copied():
    nothing: Any = None
    with within(GLOBEX):
        copying = AuditProjection(nothing, nothing, nothing, {admitted(GLOBEX): 9})

    with within(ACME), pytest.raises(TenantContextError):
        finish(copying.catch_up(GLOBEX, first_seq=5))

    with within(GLOBEX):
        assert finish(copying.catch_up(GLOBEX, first_seq=5)) == 0
