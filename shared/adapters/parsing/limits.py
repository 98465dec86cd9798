"""How much of everything a file may use."""

from dataclasses import asdict, dataclass
from typing import Any

from shared.documents.ports import LARGEST_FILE_BYTES

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """The limits of one parse. The kernel enforces memory and CPU, the parent the wall time, the readers the rest."""

    memory_bytes: int = 960 * MIB
    cpu_s: int = 50
    wall_s: float = 60.0
    file_bytes: int = LARGEST_FILE_BYTES
    characters: int = 12_000_000
    pages: int = 5_000
    archive_entries: int = 5_000
    archive_bytes: int = 512 * MIB
    archive_ratio: int = 200
    part_bytes: int = 128 * MIB
    xml_depth: int = 200
    xml_elements: int = 5_000_000
    html_depth: int = 1_000
    line_characters: int = 4_000_000
    cell_characters: int = 1_000_000
    columns: int = 16_384
    json_depth: int = 200
    mail_depth: int = 20
    mail_parts: int = 1_000

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
