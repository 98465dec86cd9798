"""The tables of records as tests write them: without a request, so as nobody in particular."""

from typing import Any

from shared.adapters.dynamodb.transactions import Transactions
from shared.audit.acts import Act, NoActError, current_act
from shared.composition.services import Services
from shared.kernel.ids import TenantId
from shared.operations.capabilities import AUDIT


def transactions_of(cloud: Any, client: Any = None) -> Transactions:
    """Return what writes records of a cloud; what a test writes by itself is told of as its own act."""
    return Transactions(client or cloud.dynamodb, lambda: str(cloud.address_of(AUDIT)), act_of=act_of_test)


def acting_as_test(services: Services, cloud: Any) -> None:
    """Let services that no entry calls write as the test itself; their clients stay as guarded as they are."""
    adapters = services._adapters
    adapters.__dict__["transactions"] = transactions_of(cloud, adapters.aws.dynamodb)


def act_of_test() -> Act:
    """Return what is being done, or else the test itself."""
    try:
        return current_act()
    except NoActError:
        return Act("test", "test", "test", tenant=TenantId("test"))
