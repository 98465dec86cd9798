"""In which order people read the shapes of a slide; the file has them in the order in which they were painted."""

from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_SHAPES = frozenset([f"{_P}sp", f"{_P}graphicFrame", f"{_P}cxnSp"])
# Boxes are drawn larger than their text: they may touch a little and still stand side by side.
_SHRUNK = 0.08

Box = tuple[float, float, float, float]
"""Left, top, right, bottom; downwards is more."""
_Frame = tuple[float, float, float, float]
"""What turns a group's own coordinates into the slide's: x and y offset, x and y scale."""
_Placed = tuple[Box, Element]


def shapes_in_order(tree: Element) -> list[Element]:
    """Return the shapes with text: columns from left to right, in each from top to bottom.

    Where one of them has no place of its own (a layout gives it), the file's order is kept.
    """
    placed = [(box, shape) for box, shape in _placed(tree, (0.0, 0.0, 1.0, 1.0)) if _has_content(shape)]
    known = [(box, shape) for box, shape in placed if box is not None]
    if len(known) < len(placed):
        return [shape for _, shape in placed]
    return [shape for _, shape in _ordered(known)]


def _ordered(items: list[_Placed]) -> list[_Placed]:
    if len(items) < 2:
        return items
    columns = _divided(items, lambda box: (box[0], box[2]))
    rows = _divided(items, lambda box: (box[1], box[3]))
    if len(columns) > 1 and (len(rows) == 1 or all(len(column) > 1 for column in columns)):
        return [item for column in columns for item in _ordered(column)]
    if len(rows) > 1:
        return [item for row in rows for item in _ordered(row)]
    return sorted(items, key=lambda item: (item[0][1], item[0][0]))


def _divided(items: list[_Placed], extent: Callable[[Box], tuple[float, float]]) -> list[list[_Placed]]:
    """Divide boxes where a straight line along one direction passes between them."""
    groups: list[list[_Placed]] = []
    reached = float("-inf")
    for item in sorted(items, key=lambda each: extent(each[0])[0]):
        low, high = extent(item[0])
        margin = (high - low) * _SHRUNK
        if not groups or low + margin >= reached:
            groups.append([item])
        else:
            groups[-1].append(item)
        reached = max(reached, high - margin)
    return groups


def _placed(tree: Element, frame: _Frame) -> Iterator[tuple[Box | None, Element]]:
    for element in tree:
        if element.tag == f"{_P}grpSp":
            yield from _placed(element, _inner_frame(element, frame))
        elif element.tag in _SHAPES:
            yield _box(element, frame), element


def _has_content(shape: Element) -> bool:
    return shape.tag == f"{_P}graphicFrame" or any(text.text and text.text.strip() for text in shape.iter(f"{_A}t"))


def _box(shape: Element, frame: _Frame) -> Box | None:
    transform = shape.find(f"{_P}xfrm") if shape.tag == f"{_P}graphicFrame" else shape.find(f"{_P}spPr/{_A}xfrm")
    if transform is None:
        return None
    place, size = _pair(transform, "off", "x", "y"), _pair(transform, "ext", "cx", "cy")
    if place is None or size is None:
        return None
    x, y, scale_x, scale_y = frame
    left, top = x + place[0] * scale_x, y + place[1] * scale_y
    return left, top, left + size[0] * scale_x, top + size[1] * scale_y


def _inner_frame(group: Element, outer: _Frame) -> _Frame:
    transform = group.find(f"{_P}grpSpPr/{_A}xfrm")
    if transform is None:
        return outer
    pairs = [_pair(transform, "off", "x", "y"), _pair(transform, "ext", "cx", "cy"),
             _pair(transform, "chOff", "x", "y"), _pair(transform, "chExt", "cx", "cy")]  # fmt: skip
    place, size, inner_place, inner_size = pairs
    if place is None or size is None or inner_place is None or inner_size is None or not all(inner_size):
        return outer
    scale_x, scale_y = size[0] / inner_size[0], size[1] / inner_size[1]
    x, y, outer_x, outer_y = outer
    return (
        x + (place[0] - inner_place[0] * scale_x) * outer_x,
        y + (place[1] - inner_place[1] * scale_y) * outer_y,
        scale_x * outer_x,
        scale_y * outer_y,
    )


def _pair(transform: Element, tag: str, first: str, second: str) -> tuple[float, float] | None:
    element = transform.find(f"{_A}{tag}")
    if element is None:
        return None
    try:
        return float(element.get(first, "")), float(element.get(second, ""))
    except ValueError:
        return None
