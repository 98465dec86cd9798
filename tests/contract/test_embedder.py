"""Every embedder keeps the port's promise; the bundled one, on its real model."""

import asyncio
import gc
import weakref
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from shared.adapters.minilm.build_model import BUILT_SHA256, DEFAULT_FOLDER, build_model, is_built, main
from shared.adapters.minilm.embedder import MiniLmEmbedder, batches_by_length
from shared.adapters.minilm.tokenizer import MiniLmTokenizer
from shared.retrieval.ports import Embedder


@pytest.fixture(scope="module")
def model_folder() -> Path:
    build_model(DEFAULT_FOLDER)
    return DEFAULT_FOLDER


@pytest.fixture(scope="module", params=["minilm"])
def embedder(model_folder: Path) -> Embedder:
    return MiniLmEmbedder(model_folder)


@pytest.fixture
def tokenizer(model_folder: Path) -> MiniLmTokenizer:
    return MiniLmTokenizer(model_folder)


async def test_vectors_have_unit_length_and_the_order_of_the_texts(embedder: Embedder) -> None:
    texts = ["A long sentence about the notice period of a contract of employment.", "sun", "", "東京 🗼", "sun"]

    vectors = await embedder.embed(texts)

    assert vectors.shape == (5, embedder.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert np.array_equal(vectors[1], vectors[4])
    alone = [(await embedder.embed([text]))[0] for text in texts]
    assert np.allclose(vectors, alone, atol=1e-4)


async def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert (await embedder.embed([])).shape == (0, embedder.dimensions)


async def test_meaning_counts_more_than_words(embedder: Embedder) -> None:
    question, paraphrase, same_words = await embedder.embed(
        ["How do I end my contract?", "Steps for terminating an agreement", "How do I end my soup course?"]
    )

    assert question @ paraphrase > question @ same_words


async def test_only_the_beginning_of_a_long_text_counts(embedder: Embedder) -> None:
    long, longer = await embedder.embed(["wind " * 300, "wind " * 300 + "and something else entirely"])

    assert np.allclose(long, longer, atol=1e-6)


async def test_calls_may_run_side_by_side(embedder: Embedder) -> None:
    texts = [f"sentence number {number}" for number in range(16)]
    expected = await embedder.embed(texts)

    found = await asyncio.gather(*(embedder.embed([text]) for text in texts))

    assert np.allclose(np.concatenate(found), expected, atol=1e-4)


async def test_a_model_is_loaded_once_and_goes_with_the_last_who_has_it(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = ort.InferenceSession
    loaded: list[weakref.ref[ort.InferenceSession]] = []

    def noted(*arguments: Any, **named: Any) -> ort.InferenceSession:
        session = load(*arguments, **named)
        loaded.append(weakref.ref(session))
        return session

    monkeypatch.setattr(ort, "InferenceSession", noted)
    embedders = [MiniLmEmbedder(model_folder, threads=1) for _ in range(4)]

    await asyncio.gather(*(embedder.embed(["sun"]) for embedder in embedders))

    assert len(loaded) == 1
    embedders.clear()
    # A thread lets go of its work a moment after whoever waits has the result.
    await asyncio.get_running_loop().shutdown_default_executor()
    gc.collect()
    assert loaded[0]() is None


async def test_the_bundled_model_gives_the_vectors_of_its_publisher(embedder: Embedder) -> None:
    # The example pair of the model's own page, whose similarity is known from the reference implementation.
    first, second = await embedder.embed(["That is a happy person", "That is a happy dog"])

    assert float(first @ second) == pytest.approx(0.6945, abs=0.002)


async def test_short_texts_are_embedded_while_somebody_waits(embedder: Embedder) -> None:
    """Row K5: single under 100 ms, a batch of 100 under 2 s; of work, for on a busy machine others take their time."""
    await embedder.embed(["warm up"])

    async def best_of_three(texts: list[str]) -> float:
        durations = []
        for _ in range(3):
            started = process_time()
            await embedder.embed(texts)
            durations.append(process_time() - started)
        return min(durations)

    assert await best_of_three(["What is the notice period?"]) < 0.1
    assert await best_of_three([f"What is notice period number {number}?" for number in range(100)]) < 2


def test_token_spans_lie_on_the_text_in_order(tokenizer: MiniLmTokenizer) -> None:
    text = "Éclairs cost 3.50 €, unbelievably; 東京 🗼."

    spans = tokenizer.spans(text)

    assert [text[start:end] for start, end in spans][:2] == ["Éc", "lai"]
    assert list(spans) == sorted(spans)
    assert spans[-1][1] == len(text)
    assert all(start < end for start, end in spans)


def test_a_text_at_the_limit_is_read_whole(tokenizer: MiniLmTokenizer) -> None:
    text = "wind " * tokenizer.limit

    assert len(tokenizer.spans(text)) == tokenizer.limit
    assert len(tokenizer.input_ids([text])[0]) == tokenizer.limit + 2
    assert tokenizer.input_ids([text + "sun"]) == tokenizer.input_ids([text])


def test_batches_hold_every_text_once_and_stay_small() -> None:
    lengths = [5, 300, 7, 5, 100, 100, 6, 9_000]

    batches = list(batches_by_length(lengths, tokens_per_batch=400))

    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= 400 for batch in batches)


def test_a_finished_model_is_recognised_and_a_damaged_one_is_not(
    model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(model_folder)]) == 0
    assert "already built" in capsys.readouterr().out
    for name in BUILT_SHA256:
        (tmp_path / name).write_bytes((model_folder / name).read_bytes()[:-1])

    assert not is_built(tmp_path)
