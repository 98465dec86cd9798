"""E-mail: the head that people read, then one body; attachments are named in a warning, never opened."""

import re
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage

from shared.adapters.parsing.encodings import decode, known_encoding
from shared.adapters.parsing.formats.html import add_html
from shared.adapters.parsing.limits import ParseLimits
from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import BlockKind, CanonicalText, DocumentWarning
from shared.documents.rejections import RejectionReason, rejected

_PART = re.compile(rb"^content-type[ \t]*:", re.IGNORECASE | re.MULTILINE)
_MULTIPART = re.compile(rb"^content-type[ \t]*:[ \t\r\n]*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_SHOWN_FIELDS = ("From", "To", "Cc", "Date")
_EMPTY_LINES = re.compile(r"\n[^\S\n]*\n\s*")


def read_mail(content: bytes, limits: ParseLimits) -> CanonicalText:
    """Return subject, sender, recipients, date and body of a message.

    Of two versions of the body the plain one is taken, as long as it says about as much as the other.

    Raises: RejectedDocumentError for too many or too deeply nested parts; counted before the message is parsed.
    """
    if len(_PART.findall(content)) > limits.mail_parts or len(_MULTIPART.findall(content)) > 10 * limits.mail_depth:
        raise rejected(RejectionReason.TOO_COMPLEX, "too many parts")
    message = message_from_bytes(content, policy=policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise rejected(RejectionReason.MALFORMED)
    builder = CanonicalBuilder("eml", max_characters=limits.characters)
    subject = _field(message, "Subject")
    builder.add(BlockKind.HEADING, subject, level=1)
    for name in _SHOWN_FIELDS:
        value = _field(message, name)
        builder.add(BlockKind.PARAGRAPH, f"{name}: {value}" if value else "")
    bodies: dict[str, EmailMessage] = {}
    _collect(message, bodies, builder, limits.mail_depth)
    if not bodies:
        raise rejected(RejectionReason.NO_TEXT)
    _add_body(builder, bodies, limits)
    return builder.build(subject or None)


def _collect(part: EmailMessage, bodies: dict[str, EmailMessage], builder: CanonicalBuilder, depth: int) -> None:
    """Find the first plain and the first HTML body; everything that is attached is left closed."""
    if depth == 0:
        raise rejected(RejectionReason.TOO_COMPLEX, "parts nested too deeply")
    kind = part.get_content_type()
    if part.is_multipart() and kind.startswith("multipart/"):
        for inner in part.iter_parts():
            if isinstance(inner, EmailMessage):
                _collect(inner, bodies, builder, depth - 1)
    elif kind in ("text/plain", "text/html") and part.get_content_disposition() != "attachment":
        bodies.setdefault(kind, part)
    else:
        builder.warn(DocumentWarning.ATTACHMENTS_IGNORED)


def _add_body(builder: CanonicalBuilder, bodies: dict[str, EmailMessage], limits: ParseLimits) -> None:
    plain = _text(bodies["text/plain"], builder) if "text/plain" in bodies else ""
    if plain.strip() or "text/html" not in bodies:
        for paragraph in _EMPTY_LINES.split(plain.replace("\r\n", "\n")):
            builder.add(BlockKind.PARAGRAPH, paragraph)
    else:
        add_html(builder, _text(bodies["text/html"], builder), limits)


def _text(part: EmailMessage, builder: CanonicalBuilder) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_content_charset()
    decoded = decode(payload, declared=known_encoding(charset) if charset else None)
    for warning in decoded.warnings:
        builder.warn(warning)
    return decoded.text


def _field(message: EmailMessage, name: str) -> str:
    """Return a header field as text; a broken one is left out, the message counts all the same."""
    try:
        return str(message.get(name, ""))
    except (MessageError, ValueError, IndexError, AttributeError, TypeError):
        return ""
