"""The bundled embedder: all-MiniLM-L6-v2 on ONNX Runtime, in this process (K5)."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from shared.adapters.minilm.model import DIMENSIONS, MODEL_ID
from shared.adapters.minilm.tokenizer import SPECIAL_TOKENS, MiniLmTokenizer

_TOKENS_PER_BATCH: Final = 4_096
"""Padded tokens in one run: enough to keep two cores busy, few enough to keep its memory under 100 MB."""


class MiniLmEmbedder:
    """Embeds short texts in about 2 ms and passages at the speed of ONNX Runtime; no network.

    `model_folder` is what `build_model` wrote. The model is loaded on the first call and kept; all embedders of a
    process share it. Of a text longer than the tokenizer's limit only the beginning counts.
    """

    def __init__(self, model_folder: Path, *, threads: int = 2) -> None:
        self._model_folder = model_folder
        self._threads = threads
        self._tokenizer = MiniLmTokenizer(model_folder)

    @property
    def model_id(self) -> str:
        return MODEL_ID

    @property
    def dimensions(self) -> int:
        return DIMENSIONS

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Return how many tokens the model reads of `texts`, without those that it adds to each."""
        return sum(len(ids) - SPECIAL_TOKENS for ids in self._tokenizer.input_ids(texts))

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not texts:
            return np.empty((0, DIMENSIONS), dtype=np.float32)
        return await asyncio.to_thread(self._embed, texts)

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        ids_by_text = self._tokenizer.input_ids(texts)
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for batch in batches_by_length([len(ids) for ids in ids_by_text]):
            longest = len(ids_by_text[batch[-1]])
            input_ids = np.zeros((len(batch), longest), dtype=np.int32)
            attention_mask = np.zeros((len(batch), longest), dtype=np.int32)
            for row, index in enumerate(batch):
                length = len(ids_by_text[index])
                input_ids[row, :length] = ids_by_text[index]
                attention_mask[row, :length] = 1
            vectors[batch] = self._model.run(None, {"input_ids": input_ids, "attention_mask": attention_mask})[0]
        return vectors

    @cached_property
    def _model(self) -> ort.InferenceSession:
        return _loaded(self._model_folder, self._threads)


_LOADED: Final[WeakValueDictionary[tuple[Path, int], ort.InferenceSession]] = WeakValueDictionary()
"""The models of this process by folder and threads, while any embedder has them: they take 150 MB each."""
_LOADING: Final = threading.Lock()


def _loaded(folder: Path, threads: int) -> ort.InferenceSession:
    with _LOADING:
        model = _LOADED.get((folder, threads))
        if model is None:
            options = ort.SessionOptions()
            options.intra_op_num_threads = threads
            options.inter_op_num_threads = 1
            # Waiting threads would otherwise spin on the cores that the other leg of a search needs.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            model = ort.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
            _LOADED[folder, threads] = model
        return model


def batches_by_length(lengths: Sequence[int], tokens_per_batch: int = _TOKENS_PER_BATCH) -> Iterator[list[int]]:
    """Yield the indexes of `lengths` in batches of similar length, shortest first.

    Padded to its longest text, a batch has at most `tokens_per_batch` tokens (or is a single text), so that short
    texts do not pay for long ones.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: (lengths[index], index)):
        if batch and (len(batch) + 1) * lengths[index] > tokens_per_batch:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
