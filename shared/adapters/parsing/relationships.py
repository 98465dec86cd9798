"""How the parts of an Office container refer to one another; targets outside of it are never followed."""

import posixpath
from dataclasses import dataclass

from shared.adapters.parsing.containers import Container

# What programs write where the author gave no title.
_EMPTY_TITLES = frozenset(["", "PowerPoint Presentation", "Presentation", "Document", "Untitled", "Microsoft Word"])
_NAMESPACE = "{http://schemas.openxmlformats.org/package/2006/relationships}"


@dataclass(frozen=True, slots=True)
class Relationship:
    kind: str
    target: str


def relationships_of(container: Container, part: str) -> dict[str, Relationship]:
    """Return the internal relationships of `part` by id, targets as member names that exist."""
    folder, name = posixpath.split(part)
    described_in = posixpath.join(folder, "_rels", f"{name}.rels")
    if described_in not in container:
        return {}
    found: dict[str, Relationship] = {}
    for element in container.xml(described_in).iter(f"{_NAMESPACE}Relationship"):
        target = element.get("Target", "")
        if element.get("TargetMode") == "External":
            continue
        path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        if path in container:
            kind = element.get("Type", "").rsplit("/", 1)[-1]
            found[element.get("Id", "")] = Relationship(kind, path)
    return found


def main_part(container: Container, fallback: str) -> str:
    """Return the member that holds the document itself."""
    for relationship in relationships_of(container, "").values():
        if relationship.kind == "officeDocument":
            return relationship.target
    return fallback


def core_title(container: Container) -> str | None:
    """Return the title in the document's properties, where it is more than white space."""
    if "docProps/core.xml" not in container:
        return None
    title = container.xml("docProps/core.xml").findtext("{http://purl.org/dc/elements/1.1/}title")
    return None if title is None or title.strip() in _EMPTY_TITLES else title.strip()
