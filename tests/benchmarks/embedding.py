"""The embedder beside raw ONNX Runtime on the same texts: what our batching and threading cost or save (K5)."""

import asyncio

import numpy as np
import onnxruntime as ort

from shared.adapters.minilm.embedder import MiniLmEmbedder
from shared.adapters.minilm.tokenizer import MiniLmTokenizer
from tests.benchmarks.samples import MODEL, passages
from tests.benchmarks.table import Table, in_turn, median_ratio

RAW_BATCH = 16


def raw_run(session: ort.InferenceSession, tokenizer: MiniLmTokenizer, texts: list[str]) -> None:
    """Embed `texts` as plain ONNX Runtime code would: in the order given, padded batches of sixteen."""
    for first in range(0, len(texts), RAW_BATCH):
        ids = tokenizer.input_ids(texts[first : first + RAW_BATCH])
        longest = max(map(len, ids))
        input_ids = np.array([[*row, *[0] * (longest - len(row))] for row in ids], dtype=np.int32)
        mask = np.array([[1] * len(row) + [0] * (longest - len(row)) for row in ids], dtype=np.int32)
        session.run(None, {"input_ids": input_ids, "attention_mask": mask})


def run() -> Table:
    texts = passages(192)
    embedder, tokenizer = MiniLmEmbedder(MODEL), MiniLmTokenizer(MODEL)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    session = ort.InferenceSession(str(MODEL / "model.onnx"), options, providers=["CPUExecutionProvider"])
    ours, raw = in_turn(
        lambda: asyncio.run(embedder.embed(texts)), lambda: raw_run(session, tokenizer, texts), rounds=5
    )
    return Table(
        "Embedding throughput",
        f"{len(texts)} passages of the shared question sets; ours ÷ raw ONNX Runtime (batches of {RAW_BATCH}, same "
        "model, same threads), in turn, median of 5. Above 1 is faster than raw.",
        ("ours ÷ raw", "ours, passages/s"),
        [(f"{median_ratio(raw, ours):.2f}", f"{len(texts) / sorted(ours)[2]:.0f}")],
    )
