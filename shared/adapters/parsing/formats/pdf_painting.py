"""What a page's drawing instructions show, as far as it takes to tell visible text from hidden text."""

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

Matrix = tuple[float, float, float, float, float, float]
Box = tuple[float, float, float, float]
Operation = tuple[Any, bytes]

_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_SMALLEST_READABLE_PT = 1.0
_OFF_PAGE_PT = 100.0
_NEARLY_WHITE = 0.985
_INVISIBLE_MODES = (3, 7)
_SHOWS_TEXT = frozenset([b"Tj", b"TJ", b"'", b'"'])
_FILLS = frozenset([b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*"])
_ENDS_PATH = frozenset([*_FILLS, b"S", b"s", b"n"])


class Visibility(StrEnum):
    VISIBLE = "visible"
    INVISIBLE_MODE = "invisible_mode"
    WHITE = "white"
    TINY = "tiny"
    OFF_PAGE = "off_page"


@dataclass(frozen=True, slots=True)
class _State:
    """The part of the graphics state that decides on visibility."""

    place: Matrix = _IDENTITY
    is_white: bool = False
    is_transparent: bool = False
    mode: int = 0
    size: float = 1.0
    leading: float = 0.0


@dataclass(slots=True)
class Painter:
    """Follows the instructions of one page in order.

    `page` is the visible area, `transparent_states` names the graphics states that make fillings fully transparent.
    """

    page: Box
    transparent_states: frozenset[str] = frozenset()
    _state: _State = field(default_factory=_State)
    _saved: list[_State] = field(default_factory=list)
    _text: Matrix = _IDENTITY
    _line: Matrix = _IDENTITY
    _path: list[tuple[float, float]] = field(default_factory=list)
    _coloured: list[Box] = field(default_factory=list)

    def follow(self, operation: Operation) -> Visibility | None:
        """Carry out one instruction; for one that shows more than spaces, say how visible that is."""
        operands, operator = operation
        if operator in _SHOWS_TEXT:
            if operator in (b"'", b'"'):
                self._move_text(0.0, -self._state.leading)
            return self._visibility() if _has_marks(operands) else None
        if operator in (b"q", b"Q", b"cm", b"gs"):
            self._change_state(operands, operator)
        elif operator in (b"rg", b"g", b"k", b"sc", b"scn", b"cs"):
            self._state = replace(self._state, is_white=_is_white(operands, operator))
        elif operator[:1] == b"T" or operator == b"BT":
            self._change_text(operands, operator)
        else:
            self._draw(operands, operator)
        return None

    def _change_state(self, operands: Any, operator: bytes) -> None:
        if operator == b"q":
            self._saved.append(self._state)
        elif operator == b"Q":
            self._state = self._saved.pop() if self._saved else self._state
        elif operator == b"cm":
            self._state = replace(self._state, place=_product(_matrix(operands), self._state.place))
        else:
            self._state = replace(self._state, is_transparent=str(operands[0]) in self.transparent_states)

    def _change_text(self, operands: Any, operator: bytes) -> None:
        if operator == b"BT":
            self._text = self._line = _IDENTITY
        elif operator == b"Tm":
            self._text = self._line = _matrix(operands)
        elif operator in (b"Td", b"TD"):
            if operator == b"TD":
                self._state = replace(self._state, leading=-float(operands[1]))
            self._move_text(float(operands[0]), float(operands[1]))
        elif operator == b"T*":
            self._move_text(0.0, -self._state.leading)
        elif operator == b"TL":
            self._state = replace(self._state, leading=float(operands[0]))
        elif operator == b"Tf":
            self._state = replace(self._state, size=float(operands[1]))
        elif operator == b"Tr":
            self._state = replace(self._state, mode=int(operands[0]))

    def _move_text(self, x: float, y: float) -> None:
        self._text = self._line = _product((1.0, 0.0, 0.0, 1.0, x, y), self._line)

    def _draw(self, operands: Any, operator: bytes) -> None:
        """Remember where something other than white was painted: white text is visible there."""
        place = self._state.place
        if operator == b"re":
            x, y, width, height = (float(each) for each in operands[:4])
            self._path += [_moved(place, x, y), _moved(place, x + width, y + height)]
        elif operator in (b"m", b"l"):
            self._path.append(_moved(place, float(operands[0]), float(operands[1])))
        elif operator in (b"c", b"v", b"y"):
            self._path.append(_moved(place, float(operands[-2]), float(operands[-1])))
        elif operator in _ENDS_PATH:
            if operator in _FILLS and not self._state.is_white and self._path:
                self._coloured.append(_bounds(self._path))
            self._path = []
        elif operator in (b"Do", b"INLINE IMAGE"):
            self._coloured.append(_bounds([_moved(place, x, y) for x in (0.0, 1.0) for y in (0.0, 1.0)]))
            if operator == b"Do":
                self._coloured.append(self.page)  # a form may paint anywhere
        elif operator == b"sh":
            self._coloured.append(self.page)

    def _visibility(self) -> Visibility:
        if self._state.mode in _INVISIBLE_MODES or self._state.is_transparent:
            return Visibility.INVISIBLE_MODE
        whole = _product(self._text, self._state.place)
        if abs(self._state.size) * math.sqrt(abs(whole[0] * whole[3] - whole[1] * whole[2])) < _SMALLEST_READABLE_PT:
            return Visibility.TINY
        left, bottom, right, top = self.page
        x, y = whole[4], whole[5]
        if not (left - _OFF_PAGE_PT <= x <= right + _OFF_PAGE_PT and bottom - _OFF_PAGE_PT <= y <= top + _OFF_PAGE_PT):
            return Visibility.OFF_PAGE
        if self._state.is_white and not any(_holds(box, x, y) for box in self._coloured):
            return Visibility.WHITE
        return Visibility.VISIBLE


def shows_text(operation: Operation) -> bool:
    return operation[1] in _SHOWS_TEXT


def _has_marks(operands: Any) -> bool:
    """Tell whether a string to show is more than spaces, which nobody hides."""
    strings = operands[0] if operands and isinstance(operands[0], list) else operands[-1:]
    return any(isinstance(each, str | bytes) and each.strip() for each in strings)


def _is_white(operands: Any, operator: bytes) -> bool:
    """Tell whether a fill colour is white; a new colour space begins black."""
    try:
        values = [float(each) for each in operands]
    except (TypeError, ValueError):
        return False
    if operator == b"k" or (operator in (b"sc", b"scn") and len(values) == 4):
        return all(value <= 1 - _NEARLY_WHITE for value in values)
    return operator != b"cs" and bool(values) and all(value >= _NEARLY_WHITE for value in values)


def _matrix(operands: Any) -> Matrix:
    a, b, c, d, e, f = (float(each) for each in operands[:6])
    return a, b, c, d, e, f


def _product(first: Matrix, second: Matrix) -> Matrix:
    """Return the matrix that applies `first`, then `second`."""
    a, b, c, d, e, f = first
    p, q, r, s, t, u = second
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


def _moved(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return x * a + y * c + e, x * b + y * d + f


def _bounds(points: list[tuple[float, float]]) -> Box:
    across, up = [x for x, _ in points], [y for _, y in points]
    return min(across), min(up), max(across), max(up)


def _holds(box: Box, x: float, y: float) -> bool:
    return box[0] - 1 <= x <= box[2] + 1 and box[1] - 1 <= y <= box[3] + 1
