"""What can be declared, and what is refused at import."""

import types

import pytest

from shared.identity.permissions import Permission
from shared.operations.capabilities import EMBEDDER, METADATA, PARSE_QUEUE, PARSER, Group, group_of
from shared.operations.declaration import DeclarationError, RateClass, operation
from shared.operations.registry import operation_of


def module_with(**functions):
    module = types.ModuleType("functions.samples.do_things")
    for name, function in functions.items():
        setattr(module, name, function)
    return module


def declare(name="do_things"):
    async def do_things() -> None:
        """Do things."""

    do_things.__name__, do_things.__module__ = name, "functions.samples.do_things"
    return operation("GET /things", permission=Permission.SEARCH, rate_class=RateClass.READ, uses=[METADATA.read])(
        do_things
    )


def test_declaration_is_found_and_the_function_is_untouched():
    function = declare()

    found = operation_of(module_with(do_things=function))

    assert (found.id, found.area, found.function, found.module) == (
        "do_things", "samples", function, "functions.samples.do_things",
    )  # fmt: skip


@pytest.mark.parametrize("functions", [{}, {"a": declare(), "b": declare()}])
def test_file_declares_exactly_one_operation(functions):
    with pytest.raises(DeclarationError):
        operation_of(module_with(**functions))


def test_function_and_file_share_a_name():
    with pytest.raises(DeclarationError):
        declare("do_other_things")


def test_route_without_permission_is_refused():
    with pytest.raises(DeclarationError):
        operation("GET /things", uses=[], rate_class=RateClass.READ)


def test_queue_with_permission_is_refused():
    with pytest.raises(DeclarationError):
        operation(PARSE_QUEUE, uses=[], permission=Permission.SEARCH)


@pytest.mark.parametrize(("uses", "group"), [
    ((), Group.API), ((METADATA.read,), Group.API), ((METADATA.read, EMBEDDER), Group.SEARCH),
    ((PARSER, EMBEDDER), Group.INGEST),
])  # fmt: skip
def test_operation_ships_with_the_lightest_group_that_carries_it(uses, group):
    assert group_of(uses) is group
