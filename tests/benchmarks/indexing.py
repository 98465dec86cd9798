"""Indexing as the functions do it beside raw ONNX Runtime on the same texts; and the memory it takes (K2, K5)."""

import asyncio
import json
import subprocess
import sys
from time import perf_counter

import onnxruntime as ort

from shared.adapters.minilm.tokenizer import MiniLmTokenizer
from shared.operations.capabilities import INDEX_QUEUE, UPLOADS
from shared.operations.declaration import QueueTrigger
from shared.operations.registry import all_operations
from shared.retrieval.embedding import embedded_text
from tests.benchmarks.embedding import raw_run
from tests.benchmarks.samples import MODEL, passages
from tests.benchmarks.table import Table
from tests.evaluation.library import TENANT, Library, open_library
from tests.ingestion.cloud import Cloud
from tests.ingestion.functions import Functions

DOCUMENTS = 6
PASSAGES_EACH = 64


def run() -> Table:
    return asyncio.run(_run())


async def _run() -> Table:
    texts = passages(DOCUMENTS * PASSAGES_EACH)
    files = {
        f"volume-{number}.txt": "\n\n".join(texts[number * PASSAGES_EACH : (number + 1) * PASSAGES_EACH]).encode()
        for number in range(DOCUMENTS)
    }
    async with open_library() as library:
        functions = Functions(library.cloud)
        await asyncio.to_thread(_drop, library, {"warm.txt": b"A first document, so that nothing is cold."})
        await _work_off(functions, but_not=INDEX_QUEUE.name)
        with _worker(library.cloud) as worker:
            await asyncio.to_thread(_next_line, worker)
            await asyncio.to_thread(_drop, library, files)
            await _work_off(functions, but_not=INDEX_QUEUE.name)
            indexed = await asyncio.to_thread(_next_line, worker, "go")
        started = perf_counter()
        await functions.work_off()
        ours = indexed["seconds"] + perf_counter() - started
        embedded = [text for name in files for text in await _embedded_texts(library, name)]
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    session = ort.InferenceSession(str(MODEL / "model.onnx"), options, providers=["CPUExecutionProvider"])
    tokenizer = MiniLmTokenizer(MODEL)
    raw_run(session, tokenizer, embedded[:32])
    started = perf_counter()
    raw_run(session, tokenizer, embedded)
    raw = perf_counter() - started
    return Table(
        "Indexing throughput",
        f"{len(embedded)} chunks of {DOCUMENTS} documents: from the index queue to `ready` (records, texts, embedding "
        "cache, index, read-back, flip), beside raw ONNX Runtime embedding of the same texts in the same run. "
        "Bar: at least 0.80 of raw, below 1,024 MiB in a process.",
        ("ours ÷ raw", "chunks/s", "peak memory of the index function's process"),
        [(f"{raw / ours:.2f}", f"{len(embedded) / ours:.0f}", f"{indexed['peak_mib']:.0f} MiB")],
    )


def _worker(cloud: Cloud) -> "subprocess.Popen[str]":
    """Start the index function in a process of its own; it answers once it is warm, and once more when it is done."""
    program = [sys.executable, "-m", "tests.benchmarks.indexing_worker", json.dumps(cloud.variables)]
    return subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _next_line(worker: "subprocess.Popen[str]", say: str = "") -> dict[str, float]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    if say:
        worker.stdin.write(say + "\n")
        worker.stdin.flush()
    found: dict[str, float] = json.loads(worker.stdout.readline())
    return found


def _drop(library: Library, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        key = f"t/{TENANT}/kb/{library.kb_id}/{name}"
        library.cloud.s3.put_object(Bucket=library.cloud.address_of(UPLOADS), Key=key, Body=content)


async def _work_off(functions: Functions, but_not: str) -> None:
    consumers = [
        found
        for found in all_operations()
        if isinstance(found.trigger, QueueTrigger) and found.trigger.queue.name != but_not
    ]
    while sum([await functions.deliver(operation) for operation in consumers]):
        pass


async def _embedded_texts(library: Library, name: str) -> list[str]:
    artifacts = library.services._adapters.artifacts
    place = (TENANT, library.kb_id, library.document_id_of(name), 1)
    text, manifest = await artifacts.get_text(*place), await artifacts.get_manifest(*place)
    assert text is not None
    assert manifest is not None
    return [embedded_text(span.context, text.text[span.start : span.end]) for span in manifest.chunks]
