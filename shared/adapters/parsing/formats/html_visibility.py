"""What of a web page a reader sees: nothing inert, nothing hidden, no furniture around the content."""

import re

from selectolax.lexbor import LexborNode

_INERT_LIST = """
    script style template noscript iframe object embed applet svg canvas audio video map head title link meta
    datalist select option input textarea button progress meter param source track noframes frameset
"""
_INERT = frozenset(_INERT_LIST.split())
_FURNITURE_TAGS = frozenset(["nav"])
_FURNITURE_ROLES = frozenset(["navigation", "search", "menu", "menubar", "toolbar"])
_FURNITURE_CLASSES_LIST = """
    mw-editsection mw-jump-link navbox catlinks printfooter noprint vector-toc vector-page-toolbar
    vector-dropdown sidebar-toc skip-link breadcrumb breadcrumbs cookie-banner
"""
_FURNITURE_CLASSES = frozenset(_FURNITURE_CLASSES_LIST.split())
_HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)"
    r"|font-size\s*:\s*0(?:\.\d+)?(?:px|pt|em|rem|%)?\s*(?:;|!|$)"
    r"|(?:text-indent|left|top|margin-left)\s*:\s*-\d{4,}",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"(?:^|;)\s*color\s*:\s*([^;!]+)", re.IGNORECASE)
_BACKGROUND = re.compile(r"background(?:-color)?\s*:\s*([^;!]+)", re.IGNORECASE)
_WHITE = frozenset(["#fff", "#ffffff", "white", "rgb(255,255,255)", "rgba(255,255,255,1)"])


def is_inert(tag: str) -> bool:
    """Tell whether an element of this kind never shows text of the document."""
    return tag in _INERT


def is_furniture(node: LexborNode) -> bool:
    """Tell whether an element helps to move around rather than to read."""
    if node.tag in _FURNITURE_TAGS:
        return True
    attributes = node.attributes
    if attributes.get("role") in _FURNITURE_ROLES:
        return True
    classes = attributes.get("class")
    return bool(classes) and not _FURNITURE_CLASSES.isdisjoint((classes or "").split())


def is_hidden(node: LexborNode) -> bool:
    """Tell whether an element is hidden by its own attributes; style sheets are not applied."""
    attributes = node.attributes
    if "hidden" in attributes:
        return True
    style = attributes.get("style")
    if not style:
        return (attributes.get("color") or "").lower() in _WHITE and node.tag == "font" and not _has_background(node)
    return _HIDING_STYLE.search(style) is not None or _is_invisible_colour(node, style)


def has_visible_text(node: LexborNode) -> bool:
    return bool(node.text().strip())


def _is_invisible_colour(node: LexborNode, style: str) -> bool:
    """Tell whether text has the colour of its ground: as declared on the element itself, or white on nothing."""
    colour = _COLOUR.search(style)
    if colour is None:
        return False
    value = _compact(colour.group(1))
    ground = _BACKGROUND.search(style)
    if ground is not None:
        return _compact(ground.group(1)) == value or (value in _WHITE and _compact(ground.group(1)) in _WHITE)
    return value in _WHITE and not _has_background(node.parent)


def _has_background(node: LexborNode | None) -> bool:
    """Tell whether an ancestor may give a ground: by style, colour attribute, or a class that we cannot look up."""
    while node is not None:
        attributes = node.attributes
        if "class" in attributes or "bgcolor" in attributes or "background" in (attributes.get("style") or ""):
            return True
        node = node.parent
    return False


def _compact(value: str) -> str:
    return value.replace(" ", "").lower()
