"""For whom an invocation works is said by its entry alone, and by nobody twice."""

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import shared.kernel.tenants as kernel
from shared.identity.permissions import Permission
from shared.kernel.ids import TenantId
from shared.kernel.tenants import TenantContext, TenantContextError, admitted, current_tenant_context, take_seal
from shared.operations.declaration import (
    CommandTrigger,
    DeclarationError,
    HttpTrigger,
    Operation,
    RateClass,
    ScheduleTrigger,
)
from shared.operations.registry import all_operations
from shared.operations.tenants import across, for_change, for_invocation, for_message, for_request, within

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
ROOT = Path(__file__).resolve().parents[3]


def operation(trigger, why=""):
    def work():
        """Work."""

    return Operation("work", "samples", trigger, work, (), 256, 5, across_tenants=why)


def ambient():
    try:
        return current_tenant_context().tenant
    except TenantContextError:
        return "nobody"


def test_nobody_makes_a_context_without_the_seal():
    with pytest.raises(TenantContextError):
        TenantContext(object(), ACME)
    with pytest.raises(TenantContextError):
        TenantContext(None, ACME)


def test_a_context_stays_what_it_was_made_for():
    with within(ACME):
        context = current_tenant_context()
        for name in ("tenant", "_tenant"):
            with pytest.raises(AttributeError):
                setattr(context, name, GLOBEX)
        assert ambient() == ACME


def test_nothing_else_passes_for_a_context():
    with pytest.raises(TenantContextError):
        type("Wider", (TenantContext,), {"admits": lambda self, tenant: True})
    looks_like_one: Any = SimpleNamespace(tenant=None, admits=lambda tenant: True)
    with pytest.raises(TenantContextError), kernel.ambient(looks_like_one):
        pass


def test_the_seal_is_given_once():
    with pytest.raises(TenantContextError):
        take_seal()


@pytest.mark.parametrize("name", ["", "a#b", "a/b", "A", "a*", "a?", "t#a", "-a", "a" * 64, "a\n"])
def test_what_is_no_tenants_name_is_worked_for_by_nobody(name):
    with pytest.raises(TenantContextError), within(TenantId(name)):
        pass


def test_without_an_entry_there_is_no_context():
    with pytest.raises(TenantContextError):
        current_tenant_context()


def test_a_context_admits_its_tenant_and_one_across_tenants_any():
    with within(ACME):
        assert current_tenant_context().admits(ACME)
        assert not current_tenant_context().admits(GLOBEX)
    with across(operation(ScheduleTrigger(5), "a reason")):
        assert current_tenant_context().admits(GLOBEX)
    assert ambient() == "nobody"


def test_working_across_tenants_must_be_declared():
    with pytest.raises(DeclarationError):
        across(operation(ScheduleTrigger(5)))


@pytest.mark.parametrize(("permission", "expected"), [
    (Permission.TENANT_OPERATE, "globex"),
    (None, "globex"),
    (Permission.SEARCH, "acme"),
])  # fmt: skip
def test_a_tenant_in_the_path_counts_on_routes_of_operators_and_strangers_only(permission, expected):
    route = operation(HttpTrigger("GET", "/tenants/{tenant_id}", permission, RateClass.READ))

    with within(ACME), for_request(route, {"tenant_id": "globex"}):
        assert ambient() == expected


def test_a_message_is_worked_off_for_the_tenant_that_it_names():
    consumer = operation(CommandTrigger())

    with for_message(consumer, SimpleNamespace(tenant=ACME)):
        assert ambient() == ACME
    with for_message(consumer, SimpleNamespace(root=SimpleNamespace(tenant=GLOBEX))):
        assert ambient() == GLOBEX
    with for_message(consumer, SimpleNamespace(tenant=None)):
        assert ambient() == "nobody"


def test_a_consumer_across_tenants_still_works_for_the_one_that_a_message_names():
    consumer = operation(CommandTrigger(), "a reason")

    with for_message(consumer, SimpleNamespace(tenant=ACME)):
        assert ambient() == ACME
    with for_message(consumer, SimpleNamespace(tenant=None)):
        assert ambient() is None


def test_a_store_is_asked_for_whom_is_worked_for_and_nobody_else():
    with within(ACME):
        assert admitted(ACME) == ACME
        with pytest.raises(TenantContextError):
            admitted(GLOBEX)
    with pytest.raises(TenantContextError):
        admitted(ACME)


@pytest.mark.parametrize(("key", "expected"), [
    ("t#acme", "acme"), ("t#acme#kb#x", "acme"), ("user#ada", "nobody"), ("t#", "nobody"), ("t#@10.0.0.1#x", "nobody"),
])  # fmt: skip
def test_a_change_is_worked_off_for_the_tenant_whose_item_it_was(key, expected):
    with for_change(operation(CommandTrigger()), {"pk": key}):
        assert ambient() == expected


def test_a_schedule_works_for_nobody_unless_it_is_declared_across_tenants():
    with for_invocation(operation(ScheduleTrigger(5))):
        assert ambient() == "nobody"
    with for_invocation(operation(ScheduleTrigger(5), "a reason")):
        assert ambient() is None


def test_few_operations_work_across_tenants_and_each_says_why():
    declared = {one.id: one.across_tenants for one in all_operations() if one.across_tenants}

    assert len(declared) <= len(all_operations()) / 4
    assert all(len(why.split()) >= 5 for why in declared.values())


OPENING = {"TenantContext", "ambient", "take_seal"}
"""What of the kernel's module nobody but the entry layer needs; nor what is private there."""


def opens_contexts(source):
    """Answer whether a module could say for whom an invocation works: by what it imports, in whatever way."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=imported):
                names = {one.name for one in imported}
            case ast.ImportFrom(module=module, names=imported):
                names = {f"{module}.{one.name}" for one in imported}
            case _:
                continue
        for name in names:
            module, _, part = name.rpartition(".")
            if "shared.operations.tenants" in (name, module) or name == "shared.kernel.tenants":
                return True
            if module == "shared.kernel.tenants" and (part in OPENING or part.startswith("_")):
                return True
    return False


@pytest.mark.parametrize("source", [
    "from shared.operations.tenants import within",
    "from shared.operations import registry, tenants",
    "import shared.operations.tenants as whose",
    "from shared.kernel.tenants import ambient as work_for",
    "from shared.kernel.tenants import TenantContext",
    "from shared.kernel.tenants import _current",
    "def later():\n    from shared.kernel import tenants",
])  # fmt: skip
def test_opening_a_context_is_found_however_it_is_imported(source):
    assert opens_contexts(source)
    assert not opens_contexts("from shared.kernel.tenants import AdmittedTenant, admitted, current_tenant_context")


def test_contexts_are_opened_by_the_entries_and_nowhere_else():
    opening = {
        path.relative_to(ROOT).as_posix()
        for folder in ("shared", "functions", "infra_cdk", "localstack")
        for path in (ROOT / folder).rglob("*.py")
        if opens_contexts(path.read_text(encoding="utf-8"))
    }

    assert opening == {
        "shared/operations/tenants.py",
        *(f"shared/operations/{entry}.py" for entry in ("audit", "authorizers", "commands", "http", "messages")),
        # In place of the authorizer, where all operations are in one process.
        "shared/composition/app.py",
    }
