"""Recognising what stands above a list of contents: it often has no heading's style, and heads nothing but the list."""

import re

_CONTENTS = re.compile(r"(?:table of )?contents|inhalt(?:sverzeichnis)?|table des matières|índice|目次", re.IGNORECASE)


def heads_contents(text: str) -> bool:
    """Tell whether `text`, a whole line or paragraph, announces a list of contents."""
    return _CONTENTS.fullmatch(text.strip().rstrip(":")) is not None
