"""Chunks cover the text, keep its order and stay within their limit, whatever the strategy and the text."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import BlockKind, CanonicalText, Chunk
from shared.documents.chunking.chunker import chunk, indexed_text
from shared.documents.chunking.config import ChunkingConfig, ChunkingStrategy
from tests.unit.documents.words import Words

ALL = list(ChunkingStrategy)
TOKENIZER = Words()


def built(
    *blocks: tuple[BlockKind, str, int, str], title: str | None = None, format_name: str = "docx"
) -> CanonicalText:
    builder = CanonicalBuilder("docx", max_characters=10_000_000)
    for kind, text, level, header in blocks:
        builder.add(kind, text, level=level, header=header)
    return builder.build(title)


def paragraph(text: str) -> tuple[BlockKind, str, int, str]:
    return BlockKind.PARAGRAPH, text, 0, ""


def heading(text: str, level: int) -> tuple[BlockKind, str, int, str]:
    return BlockKind.HEADING, text, level, ""


def row(text: str, header: str = "") -> tuple[BlockKind, str, int, str]:
    return BlockKind.TABLE_ROW, text, 0, header


def spans(text: CanonicalText, chunks: tuple[Chunk, ...]) -> list[str]:
    return [text.text[each.start : each.end] for each in chunks]


_WORDS = st.text(alphabet=st.sampled_from("ab. \n。!1\t"), max_size=400)
_BLOCKS = st.tuples(
    st.sampled_from(list(BlockKind)), _WORDS, st.integers(1, 6), st.sampled_from(["", "name | price", "a " * 90])
)
_CONFIGS = st.builds(
    ChunkingConfig,
    strategy=st.sampled_from(ALL),
    max_tokens=st.integers(16, 64),
    min_tokens=st.integers(0, 8),
    overlap_tokens=st.integers(0, 6),
    context_tokens=st.integers(0, 6),
    rows_per_chunk=st.integers(1, 3),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_BLOCKS, min_size=1, max_size=12), _CONFIGS, st.sampled_from([None, "The title of it all"]))
def test_chunks_cover_the_text_in_order_within_the_limit(
    blocks: list[tuple[BlockKind, str, int, str]], config: ChunkingConfig, title: str | None
) -> None:
    text = built(paragraph("x"), *blocks, title=title)

    chunks = chunk(text, config, TOKENIZER)

    covered = bytearray(len(text.text))
    for each in chunks:
        assert not text.text[each.start].isspace()
        assert not text.text[each.end - 1].isspace()
        assert len(TOKENIZER.spans(each.context)) <= config.context_tokens
        assert len(TOKENIZER.spans(indexed_text(text, each))) <= config.max_tokens
        covered[each.start : each.end] = b"\1" * (each.end - each.start)
    assert all(is_covered or text.text[at].isspace() for at, is_covered in enumerate(covered))
    starts = [each.start for each in chunks]
    assert starts == sorted(set(starts))
    assert [each.ordinal for each in chunks] == list(range(len(chunks)))


@pytest.mark.parametrize("strategy", ALL)
def test_a_text_without_blocks_is_cut_all_the_same(strategy: ChunkingStrategy) -> None:
    text = CanonicalText(text="One sentence here. Another one.\n\nA second paragraph.", format="txt")

    chunks = chunk(text, ChunkingConfig(strategy=strategy), TOKENIZER)

    assert spans(text, chunks) == [text.text]
    assert chunks[0].page is None


@pytest.mark.parametrize("strategy", ALL)
def test_an_endless_word_takes_linear_time(strategy: ChunkingStrategy) -> None:
    text = built(paragraph("abcdefghij" * 200_000))
    started = time.process_time()

    chunks = chunk(text, ChunkingConfig(strategy=strategy), TOKENIZER)

    assert time.process_time() - started < 5
    assert max(each.end - each.start for each in chunks) <= 200 * 12


def test_sections_are_not_mixed_and_know_their_headings() -> None:
    text = built(
        heading("Contract", 1), heading("Notice", 2), paragraph("The notice period is thirty days. " * 8),
        heading("Fees", 2), paragraph("The fee is ten euros. " * 10),
    )  # fmt: skip

    chunks = chunk(text, ChunkingConfig(), TOKENIZER)

    assert [each.headings for each in chunks] == [("Contract",), ("Contract", "Fees")]
    assert chunks[1].context == "Contract"
    assert spans(text, chunks)[1].startswith("Fees")


def test_a_chunk_from_the_middle_of_a_section_carries_its_headings_as_context() -> None:
    text = built(heading("Contract", 1), heading("Notice", 2), paragraph("The notice period is thirty days. " * 60))

    chunks = chunk(text, ChunkingConfig(), TOKENIZER)

    assert len(chunks) > 1
    assert chunks[1].context == "Contract › Notice"


def test_a_heading_is_never_left_behind_at_the_end_of_a_chunk() -> None:
    text = built(paragraph("Some words of text. " * 36), heading("Fees", 2), paragraph("The fee is ten euros. " * 30))

    chunks = chunk(text, ChunkingConfig(), TOKENIZER)

    assert not any(span.endswith("Fees") for span in spans(text, chunks))


def test_a_title_page_is_not_mixed_with_the_list_of_contents() -> None:
    text = built(
        heading("Handbook", 1), heading("October 2012", 2), paragraph("Contents"), paragraph("Fees 3 Notice 4")
    )

    chunks = chunk(text, ChunkingConfig(), TOKENIZER)

    assert spans(text, chunks) == ["Handbook\n\nOctober 2012", "Contents\n\nFees 3 Notice 4"]
    assert "Contents" not in chunks[1].headings


def test_rows_carry_their_header() -> None:
    rows = [row(f"pear {number}\t{number} euros", "Fruit: name | price") for number in range(100)]
    text = built(paragraph("Fruit"), *rows)

    chunks = chunk(text, ChunkingConfig(), TOKENIZER)

    assert len(chunks) > 2
    assert all(each.context == "Fruit: name | price" for each in chunks[1:])


def test_the_row_strategy_gives_each_row_a_chunk() -> None:
    text = built(paragraph("Our fruit."), row("pear\t2", "name | price"), row("apple\t3", "name | price"))

    chunks = chunk(text, ChunkingConfig(strategy=ChunkingStrategy.ROWS), TOKENIZER)

    assert spans(text, chunks) == ["Our fruit.", "pear\t2", "apple\t3"]


def test_windows_overlap() -> None:
    text = built(paragraph(" ".join(f"w{number}" for number in range(500))))

    chunks = chunk(text, ChunkingConfig(strategy=ChunkingStrategy.TOKENS, overlap_tokens=20), TOKENIZER)

    for before, after in pairwise(chunks):
        assert len(TOKENIZER.spans(text.text[after.start : before.end])) == 20


def test_slides_are_not_mixed() -> None:
    builder = CanonicalBuilder("pptx", max_characters=1_000)
    for number in (1, 2):
        builder.begin_page()
        builder.add(BlockKind.PARAGRAPH, f"Slide {number}")
    text = builder.build()

    chunks = chunk(text, ChunkingConfig(), TOKENIZER)

    assert [(each.page, span) for each, span in zip(chunks, spans(text, chunks), strict=True)] == [
        (1, "Slide 1"),
        (2, "Slide 2"),
    ]


def test_a_heading_at_the_end_of_a_slide_stays_on_it() -> None:
    builder = CanonicalBuilder("pptx", max_characters=1_000)
    for number in (1, 2):
        builder.begin_page()
        builder.add(BlockKind.PARAGRAPH, f"Slide {number}")
        builder.add(BlockKind.HEADING, f"Label {number}", level=2)
    text = builder.build()

    chunks = chunk(text, ChunkingConfig(), TOKENIZER)

    assert spans(text, chunks) == ["Slide 1\n\nLabel 1", "Slide 2\n\nLabel 2"]


def test_the_limit_of_the_embedder_counts_where_it_is_lower() -> None:
    text = built(paragraph("word " * 300))

    chunks = chunk(text, ChunkingConfig(max_tokens=200), Words(limit=50))

    assert max(len(TOKENIZER.spans(span)) for span in spans(text, chunks)) <= 50


@pytest.mark.parametrize(
    "fields",
    [{"max_tokens": 8}, {"overlap_tokens": 190}, {"min_tokens": 150}, {"strategy": "magic"}, {"rows": 3}],
)
def test_a_configuration_that_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ChunkingConfig.model_validate(fields)
