"""Keys of the table of cells, all of them. What belongs to a tenant stands in that tenant's partition (invariant 4).

    pk                      sk
    t#<tenant>              placement               the cell of its chunks, and a move to another
    t#<tenant>              gate#<place>            what that place lets in
    t#<tenant>              erasure#<kb>#…          what was deleted while the tenant moved
    cells                   registry                all cells
    cells                   held                    how many tenants take room in each
    cell#<cell>             tenant#<tenant>         one of those tenants
    moves                   tenant#<tenant>         a tenant whose move is not finished

A key prefix ends with its separator, so no id can reach into another's range. Ids hold no `#`: tenants are checked.
"""

from shared.adapters.dynamodb.keys import Key, tenant_partition
from shared.cells.erasures import Erasure
from shared.cells.models import CellId
from shared.kernel.ids import TenantId

PLACED_PREFIX = "tenant#"
ERASURE_PREFIX = "erasure#"


def placement_key(tenant: TenantId) -> Key:
    return _key(tenant_partition(tenant), "placement")


def gate_key(tenant: TenantId, place: CellId) -> Key:
    return _key(tenant_partition(tenant), f"gate#{place}")


def erasure_key(tenant: TenantId, erasure: Erasure) -> Key:
    names = (erasure.kb_id, erasure.index_generation, erasure.document_id or "", erasure.generation)
    return _key(tenant_partition(tenant), f"{ERASURE_PREFIX}{'#'.join(map(str, names))}")


def cell_registry_key() -> Key:
    return _key("cells", "registry")


def cell_counts_key() -> Key:
    return _key("cells", "held")


def placed_mark_key(cell_id: CellId, tenant: TenantId) -> Key:
    return _key(cell_partition(cell_id), f"{PLACED_PREFIX}{tenant}")


def move_mark_key(tenant: TenantId) -> Key:
    return _key(moves_partition(), f"{PLACED_PREFIX}{tenant}")


def cell_partition(cell_id: CellId) -> str:
    return f"cell#{cell_id}"


def moves_partition() -> str:
    return "moves"


def _key(partition: str, sort: str) -> Key:
    return {"pk": {"S": partition}, "sk": {"S": sort}}
