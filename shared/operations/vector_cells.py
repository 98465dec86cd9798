"""Which cells of chunks a deployment has: CDK writes them into one variable, settings read it (T6)."""

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

CellName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
IndexPrefix = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]

VECTOR_CELLS: Final = "TESSERA_VECTOR_CELLS"
"""The variable; a deployment that has one cell, and no index of anybody's own, has no such variable."""

MAIN: Final = "main"


class VectorCell(BaseModel):
    """One cell: an OpenSearch endpoint and the beginning of its indexes' names, or `sqlite`, a local file.

    Two cells may share an endpoint under different prefixes. `weight` is its capacity in units of the smallest cell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: CellName
    address: str
    region: str
    index_prefix: IndexPrefix = "tessera"
    weight: int = Field(default=1, ge=1, le=100)


class VectorCells(BaseModel):
    """All cells. In the first one is every tenant that was never placed: those from before there were others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cells: tuple[VectorCell, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _refuse_two_of_a_name(self) -> Self:
        if len({cell.id for cell in self.cells}) != len(self.cells):
            raise ValueError("Each cell has an id of its own.")
        return self

    @property
    def first(self) -> VectorCell:
        return self.cells[0]
