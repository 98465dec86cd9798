"""The model's own tokens, as spans of the text (port `shared.documents.ports.Tokenizer`)."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer

SPECIAL_TOKENS: Final = 2
LONGEST_INPUT: Final = 256
"""Tokens that the model reads of one text, the special ones included: what it was trained on."""


class MiniLmTokenizer:
    """WordPiece tokens of all-MiniLM-L6-v2; the vocabulary is loaded on first use."""

    def __init__(self, model_folder: Path) -> None:
        self._model_folder = model_folder

    @property
    def limit(self) -> int:
        return LONGEST_INPUT - SPECIAL_TOKENS

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        spans: Sequence[tuple[int, int]] = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return spans

    def input_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return what the model reads of each text: special tokens at both ends, cut at `LONGEST_INPUT`."""
        return [encoding.ids for encoding in self._truncating_tokenizer.encode_batch_fast(list(texts))]

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer.from_file(str(self._model_folder / "tokenizer.json"))

    @cached_property
    def _truncating_tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_file(str(self._model_folder / "tokenizer.json"))
        tokenizer.enable_truncation(max_length=LONGEST_INPUT)
        return tokenizer
