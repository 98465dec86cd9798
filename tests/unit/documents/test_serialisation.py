"""Artifacts come back as they were written, and unknown versions are refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.documents.canonical import Block, BlockKind, CanonicalText, Chunk, DocumentWarning, Page
from shared.documents.rejections import RejectionReason, rejected
from shared.documents.serialisation import (
    ChunkManifest,
    UnknownArtifactFormatError,
    manifest_from_json,
    manifest_to_json,
    text_from_json,
    text_to_json,
)

_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)
_NUMBER = st.integers(0, 10**7)
_TEXTS = st.builds(
    CanonicalText,
    text=_TEXT,
    format=st.sampled_from(["txt", "pdf"]),
    title=st.none() | _TEXT,
    pages=st.lists(st.builds(Page, _NUMBER, _NUMBER, _NUMBER, st.none() | _TEXT), max_size=3).map(tuple),
    blocks=st.lists(
        st.builds(Block, st.sampled_from(list(BlockKind)), _NUMBER, _NUMBER, st.integers(0, 6), _TEXT), max_size=3
    ).map(tuple),
    warnings=st.lists(st.sampled_from(list(DocumentWarning)), max_size=2).map(tuple),
)
_HEADINGS = st.lists(_TEXT, max_size=2).map(tuple)
_CHUNK = st.builds(Chunk, _NUMBER, _NUMBER, _NUMBER, st.none() | _NUMBER, _HEADINGS, _TEXT)
_CHUNKS = st.lists(_CHUNK, max_size=3).map(tuple)


@given(_TEXTS)
def test_a_text_comes_back_as_it_was(text: CanonicalText) -> None:
    assert text_from_json(text_to_json(text)) == text


@given(_CHUNKS)
def test_a_manifest_comes_back_as_it_was(chunks: tuple[Chunk, ...]) -> None:
    manifest = ChunkManifest(chunks, text_sha256="0" * 64, strategy="headings")

    assert manifest_from_json(manifest_to_json(manifest)) == manifest


@pytest.mark.parametrize("data", [b"{}", b"[]", json.dumps({"version": 99}).encode()])
def test_another_version_is_refused(data: bytes) -> None:
    with pytest.raises(UnknownArtifactFormatError):
        text_from_json(data)


@pytest.mark.parametrize("reason", list(RejectionReason))
def test_every_reason_says_what_to_do(reason: RejectionReason) -> None:
    error = rejected(reason)

    assert error.facts == {"reason": reason.value}
    assert len(str(error)) > 20
