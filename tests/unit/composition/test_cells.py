"""Functions hear of the cells that there are, whether or not they may open one."""

import pytest

from shared.composition.cells import Stores
from shared.composition.settings import MissingSettingError, Settings
from shared.kernel.ids import TenantId
from shared.kernel.tenants import AdmittedTenant
from shared.operations.capabilities import VECTORS
from shared.operations.vector_cells import MAIN


def test_who_only_places_somebody_needs_no_address_of_the_index() -> None:
    """As in a deployment: a function's environment holds the addresses that it declares and no others."""
    home = Settings({"AWS_REGION": "eu-central-1"}).home_cell

    assert (home.id, home.region) == (MAIN, "eu-central-1")


def test_who_opens_a_cell_without_an_address_is_told_what_is_missing() -> None:
    settings = Settings({"TESSERA_ENVIRONMENT": "local"})

    with pytest.raises(MissingSettingError, match=VECTORS.variable):
        Stores(settings)._open(settings.home_cell, AdmittedTenant(TenantId("acme")))
