"""What a person sees: documents on their way, answers with their quotations in context."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

STAGES: Final = ("accepted", "parsing", "indexing", "publishing")
"""In the order in which a document passes them; before stands `awaiting_upload`, after them `done`."""

COLOURS: Final = {"ready": "green", "processing": "yellow", "skipped_duplicate": "cyan"}
"""Of a status; every other one is red."""

CONSOLE: Final = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
"""As wide as the terminal; wide enough for every column where there is none."""


@dataclass(frozen=True, slots=True)
class Quotation:
    """One quotation of an answer; `before + quote + after` stands in the canonical text of the document."""

    quote: str
    before: str
    after: str
    document: str
    version: int
    page: int | None
    start: int
    end: int


def line(text: str) -> None:
    """Print one line of progress."""
    CONSOLE.print(f"[dim]•[/dim] {text}", soft_wrap=True)


def heading(text: str) -> None:
    CONSOLE.print(f"\n[bold]{escape(text)}[/bold]", soft_wrap=True)


class DocumentsDisplay:
    """A table of documents that follows them from stage to stage; plain lines where there is no terminal."""

    def __init__(self) -> None:
        self._live = Live(console=CONSOLE, refresh_per_second=10) if CONSOLE.is_terminal else None
        self._told: dict[str, str] = {}

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, documents: Sequence[Mapping[str, Any]], elapsed_s: float) -> None:
        """Show the documents as they are now."""
        if self._live is not None:
            self._live.update(documents_table(documents, elapsed_s))
            return
        for document in documents:
            told = f"{document['status']}/{document['stage']}"
            if self._told.get(document["name"]) != told:
                self._told[document["name"]] = told
                CONSOLE.print(f"  {elapsed_s:5.1f} s  {document['name']}: {document['status']} ({document['stage']})")


def documents_table(documents: Sequence[Mapping[str, Any]], elapsed_s: float | None = None) -> Table:
    """Return a table of documents: how far each is, and what is known of it."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("Document", "Stages", "Status"):
        table.add_column(title, no_wrap=True)
    for title in ("Pages", "Chunks", "Seconds"):
        table.add_column(title, justify="right")
    table.add_column("" if elapsed_s is None else f"{elapsed_s:.1f} s", style="dim")
    for document in documents:
        status = str(document["status"])
        colour = COLOURS.get(status, "red")
        counts = document.get("counts") or {}
        seconds = sum((document.get("timings_ms") or {}).values()) / 1000
        table.add_row(
            str(document["name"]),
            _stages(document),
            Text(status, style=colour),
            _number(counts.get("pages")),
            _number(counts.get("chunks")),
            f"{seconds:.1f}" if seconds else "",
            str(document.get("reason") or ""),
        )
    return table


def show_answer(outcome: str, quotations: Sequence[Quotation], note: str) -> None:
    """Print an answer's quotations, each lit up in the text around it, with where it stands; `note` goes below."""
    if not quotations:
        CONSOLE.print(f"  [yellow]{outcome.replace('_', ' ')}[/yellow]: the documents do not say.")
    for quotation in quotations:
        _print_indented(_in_context(quotation))
        page = f" · page {quotation.page}" if quotation.page is not None else ""
        CONSOLE.print(
            f"  [bold]{escape(quotation.document)}[/bold]{page} · version {quotation.version} · "
            f"characters {quotation.start}–{quotation.end} · [green]checked[/green]: the text there is this quotation",
            soft_wrap=True,
        )
    CONSOLE.print(f"  [dim]{escape(note)}[/dim]", soft_wrap=True)


def show_near_misses(passages: Sequence[str]) -> None:
    """Print what came closest to an answer, so that the asker sees what the documents speak of instead."""
    if passages:
        CONSOLE.print("  [dim]The nearest passages:[/dim]")
    for passage in passages:
        _print_indented(Text(f"- {' '.join(passage.split())}", style="dim"))


def _print_indented(text: Text) -> None:
    if CONSOLE.is_terminal:
        CONSOLE.print(Padding(text, (0, 0, 0, 2)))
    else:
        CONSOLE.print(Text.assemble("  ", text), soft_wrap=True)


def _in_context(quotation: Quotation) -> Text:
    """Return the quotation lit up between the whole words around it, line breaks shown as spaces."""
    quote = " ".join(quotation.quote.split())
    text = Text()
    text.append(_last_words(quotation.before), style="dim")
    if CONSOLE.is_terminal:
        text.append(quote, style="black on bright_yellow")
    else:
        text.append(f"▌{quote}▐")
    text.append(_first_words(quotation.after), style="dim")
    return text


def _stages(document: Mapping[str, Any]) -> Text:
    """Return one mark per stage: passed, under way, still to come."""
    stage = str(document["stage"])
    is_ready = document["status"] == "ready"
    at = STAGES.index(stage) if stage in STAGES else (len(STAGES) if is_ready else 0)
    text = Text()
    for number, name in enumerate(STAGES):
        style = "green" if number < at else "yellow" if number == at and not is_ready else "dim"
        text.append(("● " if number <= at else "○ ") + (f"{name} " if number == at else ""), style=style)
    return text


def _number(value: object) -> str:
    return "" if value in (None, 0) else str(value)


def _last_words(before: str) -> str:
    """Return the end of the text before a quotation, without the word that the window cuts."""
    words = before.split() if before[:1].isspace() else before.split()[1:]
    return f"… {' '.join(words)} " if words else ""


def _first_words(after: str) -> str:
    """Return the beginning of the text after a quotation, without the word that the window cuts."""
    words = after.split() if after[-1:].isspace() else after.split()[:-1]
    glue = " " if after[:1].isspace() else ""
    return f"{glue}{' '.join(words)} …" if words else ""
