"""Which packages an operation ships with follows from what it uses."""

import pytest

from shared.operations.capabilities import DATABASE, EMBEDDER, METADATA, PARSER, VECTORS, Group, group_of


@pytest.mark.parametrize(
    ("uses", "group"),
    [
        ((), Group.API),
        ((METADATA.read,), Group.API),
        ((METADATA.read, DATABASE.connect), Group.RELATIONAL),
        ((VECTORS.search, EMBEDDER), Group.SEARCH),
        ((VECTORS.write, PARSER), Group.INGEST),
    ],
)
def test_lightest_group_that_carries_all_is_taken(uses, group):
    assert group_of(uses) is group


@pytest.mark.parametrize("other", [VECTORS.search, PARSER])
def test_what_no_group_carries_together_is_refused(other):
    with pytest.raises(ValueError, match="relational"):
        group_of((DATABASE.connect, other))
