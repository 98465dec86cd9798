"""The first minutes of a user: a knowledge base with sample documents, and questions whose answers can be checked."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from localstack import account, aws, cloud, display, explorer_process
from localstack.account import Session
from localstack.api import Api
from localstack.cloud import LocalCloud
from localstack.display import DocumentsDisplay, Quotation
from localstack.failures import LocalCloudError

SAMPLES: Final = Path(__file__).parent / "samples"
KNOWLEDGE_BASE: Final = "Samples"
READY_TIMEOUT_S: Final = 180.0
CONTEXT_CHARACTERS: Final = 110
POLL_S: Final = 0.5
"""Every look counts against the organisation's calls an hour."""


def run_demo(folder: Path, port: int, servers: Mapping[str, str]) -> None:
    """Start and deploy what does not stand yet, add the sample documents, ask the sample questions.

    Raises: LocalCloudError when a document does not become ready or an answer lacks its quotation.
    """
    began = time.monotonic()
    display.heading("Local cloud")
    with display.CONSOLE.status("working …"):
        running = cloud.start(folder, port, servers, display.line)
        session = running.sign_in()
        display.line(f"Signed in as {account.EMAIL}, owner of the organisation {session.tenant}")
        explorer = explorer_process.start(folder)
    with Api(running.api_address, session.access_token) as api:
        kb_id = _knowledge_base(api)
        prefix = _prefix(session, kb_id)
        display.heading(f"Sample documents, dropped into s3://{running.uploads_bucket}/{prefix}")
        documents = sorted((SAMPLES / "documents").iterdir())
        for document in documents:
            _drop(running, prefix, document)
        _watch(running, api, kb_id, [document.name for document in documents])
        for sample in json.loads((SAMPLES / "questions.json").read_text(encoding="utf-8")):
            quotations = _ask(api, kb_id, sample["question"])
            if not any(_is_expected(quotation, sample) for quotation in quotations):
                raise LocalCloudError(
                    f"The answer to “{sample['question']}” does not quote {sample['document']} as it should.",
                    "make status shows whether the documents are ready; make clean run starts afresh",
                )
    _say_what_next(running, kb_id, explorer, time.monotonic() - began)


def ask_demo(running: LocalCloud, question: str) -> None:
    """Ask the sample knowledge base and print the answer."""
    with Api(running.api_address, running.session.access_token) as api:
        _ask(api, _knowledge_base(api), question)


def drop_into_demo(running: LocalCloud, file: Path) -> None:
    """Drop a file into the sample knowledge base and follow it until it is ready, or known not to become so."""
    session = running.session
    with Api(running.api_address, session.access_token) as api:
        kb_id = _knowledge_base(api)
        _drop(running, _prefix(session, kb_id), file)
        _watch(running, api, kb_id, [file.name])


def show_servers(folder: Path) -> None:
    """Print which servers run for the local cloud in `folder`, and which ended although nobody asked them to."""
    for server in cloud.running_servers(folder):
        display.line(f"{server.TITLE} on {server.endpoint}, process {server.process.pid}")
    for title in cloud.dead_servers(folder):
        display.line(f"{title}: ended by itself; make run starts it again")


def show_status(running: LocalCloud) -> None:
    """Print the documents of the sample knowledge base."""
    display.line(f"API on {running.api_address}")
    with Api(running.api_address, running.session.access_token) as api:
        documents = _documents(api, _knowledge_base(api))
    display.CONSOLE.print(display.documents_table(documents))


def _knowledge_base(api: Api) -> str:
    """Return the id of the sample knowledge base, which is made when it is not there."""
    for known in api.call("GET", "/knowledge-bases")["items"]:
        if known["name"] == KNOWLEDGE_BASE:
            return str(known["id"])
    made = api.call("POST", "/knowledge-bases", {"name": KNOWLEDGE_BASE, "description": "The samples of make run."})
    return str(made["id"])


def _prefix(session: Session, kb_id: str) -> str:
    return f"t/{session.tenant}/kb/{kb_id}/"


def _drop(running: LocalCloud, prefix: str, file: Path) -> None:
    """Put `file` under the prefix of a tenant's base, unless these very bytes are there already."""
    content = file.read_bytes()
    s3 = aws.s3(running.emulator.endpoint)
    key = prefix + file.name
    digest = hashlib.sha256(content).hexdigest()
    try:
        if s3.head_object(Bucket=running.uploads_bucket, Key=key)["Metadata"].get("sha256") == digest:
            return
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
    s3.put_object(Bucket=running.uploads_bucket, Key=key, Body=content, Metadata={"sha256": digest})


def _documents(api: Api, kb_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query: dict[str, str] = {"limit": "100"}
    while True:
        page = api.call("GET", f"/knowledge-bases/{kb_id}/documents", query=query)
        found += page["items"]
        if not page.get("next_page_token"):
            return sorted(found, key=lambda document: str(document["name"]))
        query["page_token"] = page["next_page_token"]


def _watch(running: LocalCloud, api: Api, kb_id: str, names: Sequence[str]) -> None:
    """Show the documents called `names` until none is on its way. Raises: LocalCloudError when one is not ready."""
    began = time.monotonic()
    with DocumentsDisplay() as shown:
        while True:
            documents = [document for document in _documents(api, kb_id) if document["name"] in names]
            elapsed = time.monotonic() - began
            shown.show(documents, elapsed)
            if len(documents) == len(names) and all(document["status"] != "processing" for document in documents):
                break
            if elapsed > READY_TIMEOUT_S:
                raise LocalCloudError(
                    f"After {elapsed:.0f} s some documents are still on their way.",
                    "make status shows how far, make logs what the functions logged",
                )
            time.sleep(POLL_S)
    refused = [document for document in documents if document["status"] not in {"ready", "skipped_duplicate"}]
    running.emulator.save()
    if refused:
        raise LocalCloudError(
            "; ".join(map(what_became_of, refused)),
            "Drop a file that fits. Of one that failed, make logs tells more",
        )


def what_became_of(document: Mapping[str, Any]) -> str:
    """Say why a document is not ready, in the words of the API."""
    reasons = [str(document[name]) for name in ("reason", "reason_detail") if document.get(name)]
    return f"{document['name']} is {document['status']}: {', '.join(reasons)}"


def _ask(api: Api, kb_id: str, question: str) -> list[Quotation]:
    """Ask, print the answer, and return its quotations, each compared with the text it was taken from."""
    display.heading(question)
    began = time.monotonic()
    answer = api.call("POST", f"/knowledge-bases/{kb_id}/answers", {"question": question}, repeat=True)
    elapsed_ms = (time.monotonic() - began) * 1000
    quotations = [_in_context(api, kb_id, citation) for citation in answer["citations"]]
    timings = ", ".join(f"{stage} {value:.0f} ms" for stage, value in (answer.get("timings_ms") or {}).items())
    display.show_answer(answer["outcome"], quotations, f"{elapsed_ms:.0f} ms through the API ({timings})")
    display.show_near_misses([missed["quote"] for missed in answer.get("near_misses", [])])
    return quotations


def _in_context(api: Api, kb_id: str, citation: dict[str, Any]) -> Quotation:
    """Return a citation with the text around it. Raises: LocalCloudError when the text there is not the quotation."""
    span = {"start": citation["start"], "end": citation["end"]}
    document = f"/knowledge-bases/{kb_id}/documents/{citation['document_id']}"
    name = api.call("GET", document)["name"]
    there = api.call(
        "GET",
        f"{document}/text",
        query={"context": str(CONTEXT_CHARACTERS)} | {side: str(at) for side, at in span.items()},
    )
    if there["quote"] != citation["quote"]:
        raise LocalCloudError(
            f"{name} is cited with {citation['quote']!r}, but {there['quote']!r} stands there.",
            "This must never happen: please report it with the document",
        )
    return Quotation(
        **span,
        quote=there["quote"],
        before=there["before"],
        after=there["after"],
        document=name,
        version=citation["generation"],
        page=citation.get("page"),
    )


def _is_expected(quotation: Quotation, sample: dict[str, Any]) -> bool:
    return (
        quotation.document == sample["document"]
        and " ".join(str(sample["quote"]).split()) in " ".join(quotation.quote.split())
        and quotation.page == sample.get("page", quotation.page)
    )


def _say_what_next(running: LocalCloud, kb_id: str, explorer: str | None, elapsed_s: float) -> None:
    display.heading(f"Done in {elapsed_s:.0f} s. The local cloud runs on; what next?")
    steps = [
        ('make ask Q="What may a viewer do?"', "ask anything about the samples"),
        ('make ask Q="Who won the football match?"', "see what happens when the documents do not say"),
        ("make drop FILE=…", "add a document of your own"),
        ("make status", "see every document"),
        ("make stop", "end the local cloud, keep its data"),
    ]
    for command, effect in steps:
        display.CONSOLE.print(f"  {command:<46} [dim]{effect}[/dim]", markup=True)
    if explorer is not None:
        display.CONSOLE.print(f"  {explorer:<46} [dim]the API, interactively[/dim]")
    display.CONSOLE.print(
        f"  [dim]API {running.api_address}, knowledge base {kb_id}, token: make token[/dim]", soft_wrap=True
    )
