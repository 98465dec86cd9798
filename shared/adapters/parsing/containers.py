"""Reading members of an Office container without believing what it says about itself."""

import zipfile
import zlib
from io import BytesIO
from xml.etree.ElementTree import Element

from shared.adapters.parsing.limits import MIB, ParseLimits
from shared.adapters.parsing.xml_reading import read_xml
from shared.documents.rejections import RejectionReason, rejected

_LOCAL_HEADER_BYTES = 30
_RATIO_COUNTS_FROM = MIB  # small parts compress well without being a bomb
_BLOCK_BYTES = 1 << 16
_ENCRYPTED_FLAG = 0x1


class Container:
    """An Office file's members, by name; nothing is ever written to disk, nor unpacked twice.

    Raises (from the constructor and from `read`): RejectedDocumentError for an archive that is damaged, encrypted,
    or expands beyond the limits, whatever sizes its directory declares.
    """

    def __init__(self, content: bytes, limits: ParseLimits) -> None:
        self._limits = limits
        try:
            self._archive = zipfile.ZipFile(BytesIO(content))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise rejected(RejectionReason.MALFORMED) from error
        members = self._archive.infolist()
        if len(members) > limits.archive_entries:
            raise rejected(RejectionReason.EXPANDS_TOO_MUCH, f"{len(members):,} members")
        self._check_sizes(members)
        self._check_overlap(members, len(content))
        self._members = {member.filename: member for member in members}
        if "[Content_Types].xml" not in self._members:
            raise rejected(RejectionReason.WRONG_TYPE, "an archive that is not an Office document")

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def read(self, name: str) -> bytes:
        """Return the bytes of a member, counted while they expand.

        Raises: RejectedDocumentError, also where the member is missing.
        """
        member = self._members.get(name)
        if member is None or member.flag_bits & _ENCRYPTED_FLAG:
            raise rejected(RejectionReason.MALFORMED if member is None else RejectionReason.ENCRYPTED)
        pieces: list[bytes] = []
        size = 0
        try:
            with self._archive.open(member) as stream:
                while piece := stream.read(_BLOCK_BYTES):
                    size += len(piece)
                    if size > self._limits.part_bytes:
                        raise rejected(RejectionReason.EXPANDS_TOO_MUCH)
                    pieces.append(piece)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise rejected(RejectionReason.MALFORMED) from error
        return b"".join(pieces)

    def xml(self, name: str) -> Element:
        """Return the root of an XML member, read under the limits of `read_xml`."""
        return read_xml(self.read(name), self._limits)

    def _check_sizes(self, members: list[zipfile.ZipInfo]) -> None:
        if sum(member.file_size for member in members) > self._limits.archive_bytes:
            raise rejected(RejectionReason.EXPANDS_TOO_MUCH)
        for member in members:
            ratio = member.file_size / max(1, member.compress_size)
            if member.file_size > _RATIO_COUNTS_FROM and ratio > self._limits.archive_ratio:
                raise rejected(RejectionReason.EXPANDS_TOO_MUCH, f"ratio {ratio:,.0f} to 1")

    def _check_overlap(self, members: list[zipfile.ZipInfo], size: int) -> None:
        """Refuse directory entries that share bytes: an honest archive never has them."""
        occupied_to = 0
        for member in sorted(members, key=lambda each: each.header_offset):
            if member.header_offset < occupied_to:
                raise rejected(RejectionReason.EXPANDS_TOO_MUCH, "members overlap")
            occupied_to = member.header_offset + _LOCAL_HEADER_BYTES + member.compress_size
        if occupied_to > size:
            raise rejected(RejectionReason.MALFORMED)
