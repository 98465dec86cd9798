"""What can be refused about cells and placements. Codes are part of the API."""

from typing import ClassVar

from shared.kernel.errors import Kind, TesseraError


class InvalidCellError(TesseraError):
    code: ClassVar[str] = "invalid-cell"
    kind: ClassVar[Kind] = Kind.INVALID


class CellNotFoundError(TesseraError):
    code: ClassVar[str] = "cell-not-found"
    kind: ClassVar[Kind] = Kind.MISSING

    def __init__(self, cell_id: str) -> None:
        super().__init__("There is no such cell. List the cells to see which there are.", cell=cell_id)


class CellExistsError(TesseraError):
    code: ClassVar[str] = "cell-exists"
    kind: ClassVar[Kind] = Kind.CONFLICT

    def __init__(self, cell_id: str) -> None:
        super().__init__("There is a cell of this id already. Choose another id.", cell=cell_id)


class CellClosedError(TesseraError):
    """The cell is being emptied, or is empty."""

    code: ClassVar[str] = "cell-closed"
    kind: ClassVar[Kind] = Kind.CONFLICT

    def __init__(self, cell_id: str) -> None:
        super().__init__("This cell takes in nobody. Choose another one, or reopen it first.", cell=cell_id)


class LastOpenCellError(TesseraError):
    code: ClassVar[str] = "last-open-cell"
    kind: ClassVar[Kind] = Kind.CONFLICT

    def __init__(self, cell_id: str) -> None:
        super().__init__(
            "No other cell takes in organisations, so this one stays open. Reopen or deploy another one first.",
            cell=cell_id,
        )


class NoHealthyCellError(TesseraError):
    """No cell can take the request or the tenant."""

    code: ClassVar[str] = "no-healthy-cell"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("No cell is healthy at the moment. Nothing was changed; try again shortly.")


class PlacementNotFoundError(TesseraError):
    code: ClassVar[str] = "placement-not-found"
    kind: ClassVar[Kind] = Kind.MISSING

    def __init__(self) -> None:
        super().__init__("This organisation is in no cell yet.")


class PlacementBusyError(TesseraError):
    """The tenant's placement kept changing while the request looked for it."""

    code: ClassVar[str] = "placement-busy"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("This organisation's data is being moved. Try again shortly.")


class CellBusyError(TesseraError):
    """The record of all cells kept changing while the request was about to."""

    code: ClassVar[str] = "cell-busy"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("The cells are being changed by others. Nothing was changed; try again shortly.")


class CopiesDifferError(TesseraError):
    """A move compared the same records for minutes, and copied them, and they still differ."""

    code: ClassVar[str] = "copies-differ"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("What was copied of this organisation differs from what it has. It is compared on.")


class InvalidMoveError(TesseraError):
    """The step does not follow from the state that the move is in."""

    code: ClassVar[str] = "invalid-move"
    kind: ClassVar[Kind] = Kind.CONFLICT
