"""Markdown: rendered to HTML first, so that raw HTML tables in it are read like any other table."""

import re

from markdown_it import MarkdownIt

from shared.adapters.parsing.encodings import decode
from shared.adapters.parsing.formats.html import add_html
from shared.adapters.parsing.limits import ParseLimits
from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import CanonicalText
from shared.documents.rejections import RejectionReason, rejected

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*\n", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE)
# Attribute lists of Markdown dialects: `{: .note}`, `# Heading {#anchor}`.
_ATTRIBUTES = re.compile(r"[ \t]*\{[:#.][^{}\n]{0,200}\}[ \t]*$", re.MULTILINE)


def read_markdown(content: bytes, limits: ParseLimits) -> CanonicalText:
    """Return the text of a Markdown document; link targets, images and raw scripts are no text."""
    decoded = decode(content)
    builder = CanonicalBuilder("md", max_characters=limits.characters)
    for warning in decoded.warnings:
        builder.warn(warning)
    source = decoded.text.removeprefix("\ufeff").replace("\r\n", "\n")
    if any(len(line) > limits.line_characters for line in source.split("\n")):
        raise rejected(RejectionReason.TOO_COMPLEX, "a line is too long")
    front = _FRONT_MATTER.match(source)
    title = _TITLE.search(front.group(1)) if front else None
    body = _ATTRIBUTES.sub("", source[front.end() :] if front else source)
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    add_html(builder, parser.render(body), limits)
    return builder.build(title.group(1) if title else None)
