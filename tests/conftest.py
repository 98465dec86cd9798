"""What holds for the whole suite."""

import pytest

from tests.dealing import part_of


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal tests out, where there are workers; one process alone keeps to their order."""
    if not hasattr(config, "workerinput"):
        return
    items.sort(key=lambda item: part_of(item.nodeid)[0])
    for item in items:
        item.add_marker(pytest.mark.xdist_group(part_of(item.nodeid)[1]))
